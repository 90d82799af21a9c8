/** Writes crypto-agile event logs (sha1, sha256) for tests: the parser's counterpart, event by event. */
import { concatBytes, fromHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { EventType } from '../event-log/event-types.ts';

export interface WrittenEvent {
  readonly pcr: number;
  readonly type: number;
  readonly data: Uint8Array;
  /** What is hashed into the register; `data` itself unless the type says otherwise. */
  readonly measured?: Uint8Array;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);
const u64 = (value: number): Uint8Array => concatBytes(u32(value), u32(0));
export const utf16 = (value: string): Uint8Array =>
  concatBytes(...Array.from(value, (character) => u16(character.charCodeAt(0))));

export function writeEventLog(events: readonly WrittenEvent[], crypto: Pick<AttestCrypto, 'hash'>): Uint8Array {
  const specId = concatBytes(
    text('Spec ID Event03\0'),
    Uint8Array.of(0, 0, 0, 0, 0, 2, 0, 2),
    u32(2),
    u16(0x0004),
    u16(20),
    u16(0x000b),
    u16(32),
    Uint8Array.of(0),
  );
  const header = concatBytes(u32(0), u32(EventType.NO_ACTION), new Uint8Array(20), u32(specId.length), specId);
  return concatBytes(header, ...events.map((event) => writeEvent(event, crypto)));
}

function writeEvent(event: WrittenEvent, crypto: Pick<AttestCrypto, 'hash'>): Uint8Array {
  const measured = event.measured ?? event.data;
  const digest = (name: 'sha1' | 'sha256'): Uint8Array => {
    const value = crypto.hash(name, measured);
    return event.type === EventType.NO_ACTION ? new Uint8Array(value.length) : value;
  };
  return concatBytes(
    u32(event.pcr),
    u32(event.type),
    u32(2),
    u16(0x0004),
    digest('sha1'),
    u16(0x000b),
    digest('sha256'),
    u32(event.data.length),
    event.data,
  );
}

export const separator = (pcr: number): WrittenEvent => ({ pcr, type: EventType.SEPARATOR, data: new Uint8Array(4) });

export function grubCommand(command: string): WrittenEvent {
  return { pcr: 8, type: EventType.IPL, data: text(`grub_cmd: ${command}\0`), measured: text(command) };
}

export function kernelCommandLine(line: string): WrittenEvent {
  return { pcr: 8, type: EventType.IPL, data: text(`kernel_cmdline: ${line}\0`), measured: text(line) };
}

export function fileRead(path: string, content: Uint8Array): WrittenEvent {
  return { pcr: 9, type: EventType.IPL, data: text(`${path}\0`), measured: content };
}

export function stubTag(tag: number, label: string, measured: Uint8Array): WrittenEvent {
  const name = text(`${label}\0`);
  return { pcr: 9, type: EventType.EVENT_TAG, data: concatBytes(u32(tag), u32(name.length), name), measured };
}

export function image(measured: Uint8Array): WrittenEvent {
  const data = concatBytes(u64(0x1000), u64(measured.length), u64(0), u64(0));
  return { pcr: 4, type: EventType.EFI_BOOT_SERVICES_APPLICATION, data, measured };
}

const EFI_GLOBAL = fromHex('61dfe48bca93d211aa0d00e098032b8c');
const IMAGE_SECURITY = fromHex('cbb219d73a3d9645a3bcdad00e67656f');
const SHIM_LOCK = fromHex('50ab5d6046e00043abb63dd810dd8b23');

export function variable(
  name: string,
  value: Uint8Array,
  type: number = EventType.EFI_VARIABLE_DRIVER_CONFIG,
): WrittenEvent {
  const guid = /^db[xtr]?$/.test(name) ? IMAGE_SECURITY : /^(Shim|SbatLevel|Mok)/.test(name) ? SHIM_LOCK : EFI_GLOBAL;
  return { pcr: 7, type, data: concatBytes(guid, u64(name.length), u64(value.length), utf16(name), value) };
}

const OWNER = new Uint8Array(16).fill(0x77);
const CERTIFICATE = fromHex('a159c0a5e494a74a87b5ab155c2bf072');
const IMAGE_HASH = fromHex('2616c4c14c509240aca941f936934328');

/** EFI_SIGNATURE_DATA. */
export const signature = (data: Uint8Array): Uint8Array => concatBytes(OWNER, data);

/** EFI_SIGNATURE_LIST of entries of one size. */
export function signatureList(kind: 'certificate' | 'image-hash', entries: readonly Uint8Array[]): Uint8Array {
  const size = OWNER.length + (entries[0]?.length ?? 1);
  const head = concatBytes(u32(28 + size * entries.length), u32(0), u32(size));
  return concatBytes(kind === 'certificate' ? CERTIFICATE : IMAGE_HASH, head, ...entries.map(signature));
}

/** One ima-ng or ima-sig entry for register 10, in binary_runtime_measurements form. */
export function imaEntry(digest: Uint8Array, path: string, crypto: Pick<AttestCrypto, 'hash'>): ImaWritten {
  const digestField = concatBytes(text('sha256:\0'), digest);
  const pathField = text(`${path}\0`);
  const data = concatBytes(u32(digestField.length), digestField, u32(pathField.length), pathField, u32(0));
  const name = text('ima-sig');
  const bytes = concatBytes(u32(10), crypto.hash('sha1', data), u32(name.length), name, u32(data.length), data);
  return { bytes, extended: crypto.hash('sha256', data) };
}

export interface ImaWritten {
  readonly bytes: Uint8Array;
  readonly extended: Uint8Array;
}
