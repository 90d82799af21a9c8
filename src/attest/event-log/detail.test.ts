import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex } from '../../shared/bytes.ts';
import { detailOf } from './detail.ts';
import { EventType } from './event-types.ts';
import { guid, text, u8, u16, u32, u64, utf16 } from './testing/raw-log.ts';

const G = '462caa21-7614-4503-836e-8ab6f4662331';
const event = (type: number, data: Uint8Array, pcr = 0) => ({ number: 1, pcr, type, data, digests: new Map() });
const detail = (type: number, data: Uint8Array, pcr = 0) => detailOf(event(type, data, pcr));

describe('firmware events', () => {
  const blob = concatBytes(u64(0x820000n), u64(0xe0000n));
  const described = (body: Uint8Array): Uint8Array => concatBytes(u8(3), text('FVM'), body);
  const tables = concatBytes(u64(1n), guid('eb9d2d31-2d88-11d3-9a16-0090273fc14d'), u64(0x1000n));
  it.each([
    {
      type: 'EFI_PLATFORM_FIRMWARE_BLOB',
      data: blob,
      expected: { kind: 'firmware-blob', blob: { description: null, address: 0x820000n, lengthBytes: 0xe0000n } },
    },
    {
      type: 'EFI_PLATFORM_FIRMWARE_BLOB2',
      data: described(blob),
      expected: { kind: 'firmware-blob', blob: { description: 'FVM', address: 0x820000n } },
    },
    { type: 'EFI_PLATFORM_FIRMWARE_BLOB', data: blob.subarray(1), expected: { kind: 'opaque' } },
    { type: 'POST_CODE', data: blob, expected: { kind: 'firmware-blob' } },
    { type: 'POST_CODE', data: text('ACPI DATA'), expected: { kind: 'text', text: 'ACPI DATA' } },
    { type: 'POST_CODE2', data: described(blob), expected: { kind: 'firmware-blob', blob: { description: 'FVM' } } },
    {
      type: 'S_CRTM_CONTENTS',
      data: text('Boot Guard Measured S-CRTM\0'),
      expected: { kind: 'text', text: 'Boot Guard Measured S-CRTM' },
    },
    {
      type: 'EFI_HANDOFF_TABLES',
      data: tables,
      expected: { kind: 'handoff-tables', handoff: { tables: [{ address: 0x1000n }] } },
    },
    {
      type: 'EFI_HANDOFF_TABLES2',
      data: described(tables),
      expected: { kind: 'handoff-tables', handoff: { description: 'FVM' } },
    },
    { type: 'EFI_HANDOFF_TABLES', data: concatBytes(u64(2n), tables.subarray(8)), expected: { kind: 'opaque' } },
    { type: 'EFI_HANDOFF_TABLES', data: u64((1n << 64n) - 1n), expected: { kind: 'opaque' } },
    {
      type: 'S_CRTM_VERSION',
      data: utf16('edk2\0'),
      expected: { kind: 'crtm-version', version: 'edk2', isGuid: false },
    },
    { type: 'S_CRTM_VERSION', data: u16(0), expected: { kind: 'crtm-version', version: '', isGuid: false } },
    { type: 'S_CRTM_VERSION', data: guid(G), expected: { kind: 'crtm-version', version: G, isGuid: true } },
    { type: 'S_CRTM_VERSION', data: text('1.0\0'), expected: { kind: 'crtm-version', version: '1.0', isGuid: false } },
    { type: 'S_CRTM_VERSION', data: fromHex('4d36300000'.padEnd(80, '1')), expected: { kind: 'opaque' } },
    { type: 'CPU_MICROCODE', data: text('Load microcode revision 000000A1\0'), expected: { kind: 'text' } },
    { type: 'PLATFORM_CONFIG_FLAGS', data: fromHex('8b04'), expected: { kind: 'opaque' } },
    {
      type: 'NONHOST_INFO',
      data: concatBytes(text('GCE NonHostInfo\0'), u8(4), new Uint8Array(15)),
      expected: {
        kind: 'information',
        information: { name: 'GCE NonHostInfo', fields: { confidentialTechnology: 'AMD SEV-SNP' } },
      },
    },
    { type: 'EFI_HCRTM_EVENT', data: text('HCRTM'), expected: { kind: 'text', text: 'HCRTM' } },
    { type: 'SEPARATOR', data: u32(0), expected: { kind: 'separator', meaning: 'ok' } },
    { type: 'SEPARATOR', data: u32(0xffffffff), expected: { kind: 'separator', meaning: 'ok' } },
    { type: 'SEPARATOR', data: u32(1), expected: { kind: 'separator', meaning: 'error' } },
    { type: 'SEPARATOR', data: text('WBCL'), expected: { kind: 'separator', meaning: 'other' } },
    { type: 'SEPARATOR', data: u8(0xff), expected: { kind: 'separator', meaning: 'other' } },
    {
      type: 'EFI_SPDM_FIRMWARE_BLOB',
      data: concatBytes(text('SPDM Device Sec\0'), u16(1), u16(40), u32(0xb), u32(1)),
      expected: { kind: 'device-security', device: { signature: 'SPDM Device Sec', version: 1, deviceType: 'PCI' } },
    },
    { type: 'EFI_SPDM_FIRMWARE_CONFIG', data: text('something else, longer than that'), expected: { kind: 'opaque' } },
  ] as const)('$type: $expected.kind', ({ type, data, expected }) => {
    expect(detail(EventType[type], data)).toMatchObject(expected);
  });
});

describe('a partition table', () => {
  const partition = concatBytes(guid(G), guid(G), u64(0x800n), u64(0xfffn), u64(4n), utf16('EFI'), new Uint8Array(66));
  const head = (count: bigint): Uint8Array =>
    concatBytes(
      text('EFI PART'),
      u32(0x10000),
      u32(92),
      u32(1),
      u32(0),
      u64(1n),
      u64(99n),
      u64(34n),
      u64(66n),
      guid(G),
      u64(2n),
      u32(128),
      u32(128),
      u32(5),
      u64(count),
    );

  it('has a disk and the partitions that are in use', () => {
    expect(detail(EventType.EFI_GPT_EVENT, concatBytes(head(1n), partition), 5)).toMatchObject({
      kind: 'gpt',
      gpt: {
        diskGuid: G,
        backupBlock: 99n,
        partitions: [{ guid: G, firstBlock: 0x800n, lastBlock: 0xfffn, name: 'EFI' }],
      },
    });
    expect(detail(EventType.EFI_GPT_EVENT2, head(0n), 5)).toMatchObject({ kind: 'gpt', gpt: { partitions: [] } });
  });

  it.each([
    { name: 'one partition too few', data: concatBytes(head(2n), partition) },
    { name: 'one partition too many', data: concatBytes(head(0n), partition) },
    { name: 'an impossible number', data: head((1n << 64n) - 1n) },
    { name: 'another signature', data: concatBytes(text('EFI PARX'), head(0n).subarray(8)) },
  ])('with $name is opaque', ({ data }) => expect(detail(EventType.EFI_GPT_EVENT, data, 5).kind).toBe('opaque'));
});
