/** Text inside event data. Always the whole field: what cannot be read as text is shown with replacement characters. */
import type { LittleEndianReader } from './little-endian.ts';

const utf8Decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const utf16Decoder = new TextDecoder('utf-16le', { ignoreBOM: true });

export function utf8(data: Uint8Array): string {
  return utf8Decoder.decode(data);
}

/** Short strings without surrogates, which are nearly all, are put together here: a decoder takes longer to be called. */
export function utf16(data: Uint8Array): string {
  if (data.length > 128 || data.length % 2 !== 0) return utf16Decoder.decode(data);
  let text = '';
  for (let index = 0; index < data.length; index += 2) {
    const unit = (data[index] ?? 0) | ((data[index + 1] ?? 0) << 8);
    if ((unit & 0xf800) === 0xd800) return utf16Decoder.decode(data);
    text += String.fromCharCode(unit);
  }
  return text;
}

/** Without one NUL at the end. */
export function withoutNul(data: Uint8Array): Uint8Array {
  return data.length > 0 && data[data.length - 1] === 0 ? data.subarray(0, data.length - 1) : data;
}

/** Up to the first NUL of a UTF-16 string, which must be there: the rest is another field's. Null where there is none. */
export function utf16Terminated(data: Uint8Array): { readonly text: string; readonly bytes: number } | null {
  for (let index = 0; index + 1 < data.length; index += 2) {
    if (data[index] === 0 && data[index + 1] === 0) return { text: utf16(data.subarray(0, index)), bytes: index + 2 };
  }
  return null;
}

/** At least one character, all of them printable ASCII, tab or line end, NULs only at the end. */
export function printableAscii(data: Uint8Array): string | null {
  let end = data.length;
  while (end > 0 && data[end - 1] === 0) end -= 1;
  if (end === 0) return null;
  for (let index = 0; index < end; index += 1) {
    const byte = data[index] ?? 0;
    if ((byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) || byte > 0x7e) return null;
  }
  return utf8(data.subarray(0, end));
}

/** The same for UTF-16: at least two printable characters, so that two stray bytes are not taken for a letter. */
export function printableUtf16(data: Uint8Array): string | null {
  const whole = data.length % 2 === 0 ? data : withoutNul(data); // systemd-boot has logged a NUL too many
  if (whole.length < 4 || whole.length % 2 !== 0) return null;
  const text = utf16(whole).replace(/\0+$/, '');
  return text.length >= 2 && /^[\t\n\r\x20-\x7e\u00a0-\u024f\u2122]+$/.test(text) ? text : null;
}

export function startsWithText(data: Uint8Array, text: string): boolean {
  if (data.length < text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (data[index] !== text.charCodeAt(index)) return false;
  return true;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** Three little-endian numbers, then eight bytes; -1 is a hyphen. */
const GUID_ORDER = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15];

/** EFI_GUID: lower case, as the UEFI specification writes it. */
export function readGuid(reader: LittleEndianReader): string {
  const bytes = reader.bytes(16, 'guid');
  let text = '';
  for (const index of GUID_ORDER) text += index === -1 ? '-' : HEX[bytes[index] ?? 0];
  return text;
}

/** A 64-bit length as a number, one past the end if it is larger than what is left: the reader then refuses it. */
export function boundedLength(length: bigint, left: number): number {
  return length > BigInt(left) ? left + 1 : Number(length);
}
