import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import { detailOf } from './detail.ts';
import { EventType } from './event-types.ts';
import { text, u8, u32, utf16 } from './testing/raw-log.ts';

const event = (type: number, data: Uint8Array, pcr = 0) => ({ number: 1, pcr, type, data, digests: new Map() });
const detail = (type: number, data: Uint8Array, pcr = 0) => detailOf(event(type, data, pcr));
const nothing = new Uint8Array();

describe('boot loader events', () => {
  const tag = (id: number, data: Uint8Array): Uint8Array => concatBytes(u32(id), u32(data.length), data);
  const record = (type: number, value: Uint8Array): Uint8Array => concatBytes(u32(type), u32(value.length), value);
  it.each([
    {
      name: 'a GRUB command',
      type: 'IPL',
      pcr: 8,
      data: text('grub_cmd: boot\0'),
      expected: { kind: 'grub-command', text: 'boot' },
    },
    {
      name: 'an old GRUB command',
      type: 'IPL',
      pcr: 8,
      data: text('grub_cmd boot'),
      expected: { kind: 'grub-command', text: 'boot' },
    },
    {
      name: 'a GRUB command without a word',
      type: 'IPL',
      pcr: 8,
      data: text('grub_cmd: '),
      expected: { kind: 'grub-command', text: '' },
    },
    {
      name: 'a command line',
      type: 'IPL',
      pcr: 8,
      data: text('kernel_cmdline: /v quiet\0'),
      expected: { kind: 'kernel-command-line', text: '/v quiet' },
    },
    {
      name: 'a prefix within a command',
      type: 'IPL',
      pcr: 8,
      data: text('grub_cmd: echo\nkernel_cmdline: x\0'),
      expected: { kind: 'grub-command', text: 'echo\nkernel_cmdline: x' },
    },
    {
      name: 'nearly a prefix',
      type: 'IPL',
      pcr: 8,
      data: text('grub_cmdx boot\0'),
      expected: { kind: 'text', text: 'grub_cmdx boot' },
    },
    {
      name: 'a file',
      type: 'IPL',
      pcr: 9,
      data: text('/boot/vmlinuz\0'),
      expected: { kind: 'file', name: '/boot/vmlinuz' },
    },
    {
      name: "shim's list",
      type: 'IPL',
      pcr: 14,
      data: text('MokListX\0'),
      expected: { kind: 'mok', variable: 'MokListX' },
    },
    { name: 'systemd-boot', type: 'IPL', pcr: 12, data: utf16(' quiet\0'), expected: { kind: 'text', text: ' quiet' } },
    {
      name: 'systemd-boot with a NUL too many',
      type: 'IPL',
      pcr: 8,
      data: concatBytes(utf16('quiet\0'), u8(0)),
      expected: { kind: 'text', text: 'quiet' },
    },
    { name: 'nothing', type: 'IPL', pcr: 8, data: nothing, expected: { kind: 'opaque' } },
    {
      name: 'the stub’s load options',
      type: 'EVENT_TAG',
      pcr: 9,
      data: tag(0x8f3b22ed, text('LOADED_IMAGE::LoadOptions\0')),
      expected: { kind: 'load-options', label: 'LOADED_IMAGE::LoadOptions' },
    },
    {
      name: 'the stub’s initrd',
      type: 'EVENT_TAG',
      pcr: 9,
      data: tag(0x8f3b22ec, text('Linux initrd\0')),
      expected: { kind: 'initrd', label: 'Linux initrd' },
    },
    {
      name: 'systemd’s loader.conf',
      type: 'EVENT_TAG',
      pcr: 5,
      data: tag(0xf5bc582a, utf16('loader.conf\0')),
      expected: { kind: 'tag', name: 'systemd-boot loader.conf', label: 'loader.conf' },
    },
    {
      name: 'another tag',
      type: 'EVENT_TAG',
      pcr: 5,
      data: tag(7, u8(1)),
      expected: { kind: 'tag', tag: 7, name: null, label: null },
    },
    {
      name: 'a tag cut short',
      type: 'EVENT_TAG',
      pcr: 9,
      data: tag(7, u32(1)).subarray(0, -1),
      expected: { kind: 'opaque' },
    },
    {
      name: 'Windows',
      type: 'EVENT_TAG',
      pcr: 12,
      data: record(0x40010001, concatBytes(record(0x00050001, u8(1)), record(0x00050009, utf16('\\WINDOWS\0')))),
      expected: {
        kind: 'windows',
        records: [
          {
            name: 'TrustBoundary',
            value: null,
            records: [
              { name: 'OsKernelDebug', value: '1' },
              { name: 'SystemRoot', value: '\\WINDOWS' },
            ],
          },
        ],
      },
    },
    {
      name: 'Windows, a record too long',
      type: 'EVENT_TAG',
      pcr: 12,
      data: record(0x40010001, concatBytes(u32(0x50001), u32(9), u8(1))),
      expected: { kind: 'opaque' },
    },
  ] as const)('$name', ({ type, pcr, data, expected }) => {
    expect(detail(EventType[type], data, pcr)).toMatchObject(expected);
  });

  it('records in records in records end somewhere', () => {
    let data = record(0x50001, u8(1));
    for (let depth = 0; depth < 50; depth += 1) data = record(0x40010001, data);
    expect(detail(EventType.EVENT_TAG, data, 12).kind).toBe('opaque');
  });
});
