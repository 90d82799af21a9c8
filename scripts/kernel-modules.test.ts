import { describe, expect, it } from 'vitest';
import { moduleClosure, parseIndex } from './kernel-modules.ts';

const index = parseIndex({
  dep: [
    'kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko.xz',
    'kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz',
    'kernel/net/core/failover.ko.xz:',
    'kernel/lib/libcrc32c.ko.xz:',
    'kernel/arch/x86/crypto/crc32c-intel.ko.xz:',
    'kernel/fs/other.ko.xz:',
    '',
  ].join('\n'),
  softdep: '# Soft dependencies\nsoftdep libcrc32c pre: crc32c\nsoftdep failover post: absent\n',
  alias: 'alias crc32c crc32c_intel\nalias pci:v00001AF4d* virtio_net\n',
  builtin: 'kernel/drivers/virtio/virtio-pci.ko\n',
});

describe('moduleClosure', () => {
  it('adds what a module needs, however deep', () => {
    expect(moduleClosure(['virtio-net'], index)).toEqual([
      'kernel/drivers/net/net_failover.ko.xz',
      'kernel/drivers/net/virtio_net.ko.xz',
      'kernel/net/core/failover.ko.xz',
    ]);
  });

  it('follows soft dependencies that name an alias', () => {
    expect(moduleClosure(['libcrc32c'], index)).toContain('kernel/arch/x86/crypto/crc32c-intel.ko.xz');
  });

  it('needs nothing for what is built in', () => {
    expect(moduleClosure(['virtio_pci'], index)).toEqual([]);
  });

  it('refuses a name that this kernel does not have', () => {
    expect(() => moduleClosure(['virtio_nut'], index)).toThrow(
      expect.objectContaining({ code: 'MODULE_UNKNOWN', message: expect.stringContaining('virtio_nut') }),
    );
  });
});
