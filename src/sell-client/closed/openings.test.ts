import { describe, expect, it } from 'vitest';
import { type Expectations, findOpenings, type MachineFacts, parseSettings } from './openings.ts';

const expected: Expectations = {
  commandLine: 'console=tty0 quiet lockdown=confidentiality',
  settings: new Map([
    ['kernel.sysrq', '0'],
    ['kernel.printk', '1 4 1 1'],
  ]),
  driversFinal: true,
};
const TCP_HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const closed: MachineFacts = {
  commandLine: 'BOOT_IMAGE=/boot/vmlinuz console=tty0 quiet lockdown=confidentiality',
  lockdown: 'none integrity [confidentiality]',
  signatureEnforced: 'Y',
  hibernation: '[disabled]',
  modulesDisabled: '1',
  settings: new Map([
    ['kernel.sysrq', '0\n'],
    ['kernel.printk', '1\t4\t1\t1\n'],
  ]),
  mounts: 'proc /proc proc rw 0 0\nsecurityfs /sys/kernel/security securityfs rw 0 0',
  swaps: 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority',
  // One connection to the broker.
  tcp: `${TCP_HEAD}\n   0: 0F02000A:C7DE 0202000A:A417 01 00000000:00000000 00:00000000 00000000     0        0 5221 1`,
  // The DHCP client, and a question to a name server under way.
  udp: `${TCP_HEAD}\n  10: 0F02000A:0044 00000000:0000 07 00000000:00000000 00:00000000 0 0 17\n  11: 0F02000A:9C41 0302000A:0035 01 00000000:00000000 00:00000000 0 0 18`,
};

describe('findOpenings', () => {
  it('finds nothing on a closed machine', () => expect(findOpenings(closed, expected)).toEqual([]));

  it.each<{ what: string; change: Partial<MachineFacts>; says: string }>([
    {
      what: 'an added parameter',
      change: { commandLine: `${closed.commandLine} sysrq_always_enabled` },
      says: 'sysrq_always_enabled is not',
    },
    {
      what: 'a missing parameter',
      change: { commandLine: 'BOOT_IMAGE=/x console=tty0 quiet' },
      says: 'lockdown=confidentiality is missing',
    },
    {
      what: 'parameters in another order',
      change: { commandLine: 'quiet console=tty0 lockdown=confidentiality' },
      says: 'order',
    },
    {
      what: 'a parameter given twice',
      change: { commandLine: `${closed.commandLine} quiet` },
      says: 'order',
    },
    { what: 'a weaker lockdown', change: { lockdown: 'none [integrity] confidentiality' }, says: 'locked down' },
    { what: 'no lockdown at all', change: { lockdown: '' }, says: 'locked down' },
    { what: 'unsigned modules', change: { signatureEnforced: 'N' }, says: 'signature' },
    { what: 'hibernation', change: { hibernation: '[platform] shutdown reboot' }, says: 'hibernate' },
    { what: 'drivers after closing', change: { modulesDisabled: '0' }, says: 'takes drivers' },
    { what: 'a setting', change: { settings: new Map([['kernel.sysrq', '438']]) }, says: 'kernel.sysrq is 438, not 0' },
    { what: 'a setting that is gone', change: { settings: new Map() }, says: 'kernel.sysrq is absent' },
    { what: 'debugfs', change: { mounts: 'none /sys/kernel/debug debugfs rw 0 0' }, says: 'inside of the kernel' },
    { what: 'tracefs', change: { mounts: 'a b c d\nnone /t tracefs rw 0 0' }, says: 'inside of the kernel' },
    { what: 'swap', change: { swaps: `${closed.swaps}\n/dev/sda partition 1 0 -2` }, says: 'swapped' },
    {
      what: 'a listening TCP port',
      change: { tcp: `${closed.tcp}\n   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:0 0 0 9` },
      says: 'TCP port 22',
    },
    {
      what: 'a listening TCP port of IPv6',
      change: { tcp: `   0: ${'0'.repeat(32)}:1F90 ${'0'.repeat(32)}:0000 0A 00000000:00000000 00:0 0 0 9` },
      says: 'TCP port 8080',
    },
    {
      what: 'an open UDP port',
      change: { udp: `   1: 00000000:14E9 00000000:0000 07 00000000:00000000 00:0 0 0 9` },
      says: 'UDP port 5353',
    },
  ])('names $what', ({ change, says }) => {
    const found = findOpenings({ ...closed, ...change }, expected);
    expect(found[0]).toContain(says);
  });

  it('asks for final drivers only when they are', () => {
    expect(findOpenings({ ...closed, modulesDisabled: '0' }, { ...expected, driversFinal: false })).toEqual([]);
  });
});

it('reads sysctl.conf', () => {
  expect(parseSettings('# a comment = 1\nkernel.sysrq = 0\n\nkernel.core_pattern = |/usr/bin/false\n')).toEqual(
    new Map([
      ['kernel.sysrq', '0'],
      ['kernel.core_pattern', '|/usr/bin/false'],
    ]),
  );
});
