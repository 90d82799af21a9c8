import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import { readEfiVariable } from './efi-data.ts';
import { EventType } from './event-types.ts';
import { readSignatureLists } from './signature-list.ts';
import { guid, text, u8, u16, u32, u64, utf16 } from './testing/raw-log.ts';
import { variableContent } from './variable-content.ts';

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const MICROSOFT = '77fa9abd-0359-4d32-bd60-28f4e78f784b';
const X509 = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072';
const SHA256 = 'c1c41626-504c-4092-aca9-41f936934328';
const CONFIG = EventType.EFI_VARIABLE_DRIVER_CONFIG;
const BOOT = EventType.EFI_VARIABLE_BOOT;
const AUTHORITY = EventType.EFI_VARIABLE_AUTHORITY;

const contentOf = (name: string, value: Uint8Array, type: number = CONFIG) =>
  variableContent({ guid: GLOBAL, name, value }, type);
const list = (type: string, ...entries: Uint8Array[]): Uint8Array => {
  const bytes = entries[0]?.length ?? 17;
  return concatBytes(guid(type), u32(28 + bytes * entries.length), u32(0), u32(bytes), ...entries);
};
const hash = (fill: number, owner = MICROSOFT): Uint8Array => concatBytes(guid(owner), new Uint8Array(32).fill(fill));
/** A DER SEQUENCE of 260 bytes: as far as its owner is asked for, a certificate. */
const certificate = concatBytes(Uint8Array.of(0x30, 0x82, 1, 0), new Uint8Array(256));

describe('a variable in an event', () => {
  const bytes = concatBytes(guid(GLOBAL), u64(2n), u64(3n), utf16('db'), text('abc'));

  it('has a GUID, a name and a value', () => {
    expect(readEfiVariable(bytes)).toEqual({ guid: GLOBAL, name: 'db', value: text('abc') });
  });

  it.each([
    { name: 'a byte too many', data: concatBytes(bytes, u8(0)), code: 'LOG_EVENT_BAD' },
    { name: 'a byte too few', data: bytes.subarray(0, -1), code: 'LOG_TRUNCATED' },
    {
      name: 'a name of 2^63 characters',
      data: concatBytes(guid(GLOBAL), u64(1n << 63n), u64(0n)),
      code: 'LOG_TRUNCATED',
    },
    {
      name: 'a value of 2^64 - 1 bytes',
      data: concatBytes(guid(GLOBAL), u64(0n), u64((1n << 64n) - 1n)),
      code: 'LOG_TRUNCATED',
    },
  ])('is refused with $name', ({ data, code }) => {
    expect(() => readEfiVariable(data)).toThrow(expect.objectContaining({ code }));
  });

  it('of an old shim has six bytes behind it, not five', () => {
    expect(readEfiVariable(concatBytes(bytes, new Uint8Array(6)), 6).value).toEqual(text('abc'));
    expect(() => readEfiVariable(concatBytes(bytes, new Uint8Array(5)), 6)).toThrow();
  });
});

describe('what a value means', () => {
  it.each([
    { name: 'SecureBoot', value: u8(1), content: { kind: 'boolean', value: true } },
    { name: 'SecureBoot', value: u8(0), content: { kind: 'boolean', value: false } },
    { name: 'SecureBoot', value: new Uint8Array(), content: { kind: 'boolean', value: false } },
    { name: 'SecureBoot', value: u16(1), content: { kind: 'bytes' } },
    { name: 'MokListTrusted', value: u8(1), type: AUTHORITY, content: { kind: 'boolean', value: true } },
    { name: 'PK', value: new Uint8Array(), content: { kind: 'signature-lists', lists: [] } },
    {
      name: 'BootOrder',
      value: concatBytes(u16(1), u16(0x2001)),
      type: BOOT,
      content: { kind: 'boot-order', options: [1, 0x2001] },
    },
    { name: 'BootNext', value: u16(3), type: BOOT, content: { kind: 'boot-order', options: [3] } },
    { name: 'BootOrder', value: u8(1), type: BOOT, content: { kind: 'bytes' } },
    { name: 'MokDevAuth', value: text('plain'), content: { kind: 'text', text: 'plain' } },
    { name: 'Wide', value: utf16('wide'), content: { kind: 'text', text: 'wide' } },
    { name: 'LenovoConfig', value: Uint8Array.of(1, 0, 2, 0, 3), content: { kind: 'bytes' } },
    { name: 'db', value: u8(1), content: { kind: 'bytes' } },
    { name: 'BOOT0001', value: u8(1), type: BOOT, content: { kind: 'bytes' } },
  ])('$name: $content.kind', ({ name, value, type, content }) => {
    expect(contentOf(name, value, type)).toEqual(content);
  });

  it('Boot0001: description, device path and what follows', () => {
    const path = concatBytes(Uint8Array.of(4, 4), u16(4 + 6), utf16('\\a\0'), Uint8Array.of(0x7f, 0xff, 4, 0));
    const option = concatBytes(u32(1), u16(path.length), utf16('Linux\0'), path, text('opt'));
    expect(contentOf('Boot0001', option, BOOT)).toMatchObject({
      kind: 'load-option',
      option: { attributes: 1, active: true, description: 'Linux', devicePath: '\\a', optionalData: text('opt') },
    });
    expect(contentOf('Boot0001', concatBytes(u32(0), u16(0), utf16('x')), BOOT)).toEqual({ kind: 'bytes' });
    expect(contentOf('BootABCD', concatBytes(u32(0), u16(9), utf16('x\0')), BOOT)).toEqual({ kind: 'bytes' });
  });

  it('SbatLevel: components and their generations', () => {
    expect(contentOf('SbatLevel', text('sbat,1,2025021800\nshim,4\ngrub,5\n'), AUTHORITY)).toMatchObject({
      kind: 'sbat',
      entries: [
        { component: 'sbat', generation: 1, rest: '2025021800' },
        { component: 'shim', generation: 4, rest: '' },
        { component: 'grub', generation: 5, rest: '' },
      ],
    });
  });

  it.each([
    { name: 'db', value: concatBytes(guid(MICROSOFT), certificate), owner: MICROSOFT },
    { name: 'Shim', value: certificate, owner: null },
    { name: 'vendor_db', value: certificate, owner: null },
    // an owner whose GUID looks like the beginning of a certificate
    {
      name: 'MokListRT',
      value: concatBytes(certificate.subarray(0, 16), certificate),
      owner: '00018230-0000-0000-0000-000000000000',
    },
  ])('authority $name: its certificate, owner $owner', ({ name, value, owner }) => {
    expect(contentOf(name, value, AUTHORITY)).toMatchObject({ kind: 'authority', owner, certificate });
  });

  it('an authority of another name is not guessed at', () => {
    expect(contentOf('Other', certificate, AUTHORITY)).toEqual({ kind: 'bytes' });
  });
});

describe('signature lists', () => {
  it('are read down to owner and data', () => {
    const value = concatBytes(
      list(SHA256, hash(1), hash(2), hash(3, GLOBAL), hash(4)),
      list(X509, concatBytes(guid(GLOBAL), certificate)),
    );
    const lists = readSignatureLists(value);
    expect(lists.map(({ type, entries }) => [type, entries.length])).toEqual([
      ['sha256', 4],
      ['x509', 1],
    ]);
    expect(lists[0]?.entries.map(({ owner, data }) => [owner, data[0]])).toEqual([
      [MICROSOFT, 1],
      [MICROSOFT, 2],
      [GLOBAL, 3],
      [MICROSOFT, 4],
    ]);
    expect(lists[1]?.entries[0]?.data).toEqual(certificate);
  });

  it('of a type that is not known keep its GUID', () => {
    expect(readSignatureLists(list(GLOBAL, hash(1)))[0]).toMatchObject({ type: 'unknown', typeGuid: GLOBAL });
  });

  const head = (listBytes: number, headerBytes: number, entryBytes: number): Uint8Array =>
    concatBytes(guid(SHA256), u32(listBytes), u32(headerBytes), u32(entryBytes));
  it.each([
    { name: 'entries smaller than an owner', value: concatBytes(head(28 + 16, 0, 16), new Uint8Array(16)) },
    { name: 'entries of nothing', value: head(28, 0, 0) },
    { name: 'half an entry', value: concatBytes(head(28 + 72, 0, 48), new Uint8Array(72)) },
    { name: 'a list shorter than its head', value: head(27, 0, 48) },
    { name: 'a header longer than the list', value: head(28, 1, 48) },
    { name: 'a list longer than the value', value: concatBytes(head(28 + 96, 0, 48), new Uint8Array(95)) },
    { name: 'bytes behind the last list', value: concatBytes(list(SHA256, hash(1)), u8(0)) },
  ])('with $name are refused', ({ value }) => {
    expect(() => readSignatureLists(value)).toThrow();
    expect(contentOf('dbx', value)).toEqual({ kind: 'bytes' });
  });
});
