/** Bytes and their text forms. Decoders are strict: one byte sequence has exactly one accepted spelling. */
import { CodedError } from './errors.ts';

export class BytesError extends CodedError<'BAD_HEX' | 'BAD_BASE64'> {}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hex, no separators. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 1) text += HEX[bytes[i] ?? 0];
  return text;
}

/** Strict hex of either case, an even number of digits, no separators. @throws BytesError BAD_HEX */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new BytesError(
      'BAD_HEX',
      `not a hex string: ${JSON.stringify(text.slice(0, 40))} (${text.length} characters)`,
    );
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}

/** Canonical standard base64 only: no white space, no URL alphabet, no spare bits. @throws BytesError BAD_BASE64 */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new BytesError(
      'BAD_BASE64',
      `not standard base64: ${JSON.stringify(text.slice(0, 40))} (${text.length} characters)`,
    );
  }
  const binary = atob(text);
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const tail = text.slice(-4);
  if (tail !== '' && toBase64(bytes.subarray(bytes.length - (bytes.length % 3 || 3))) !== tail) {
    throw new BytesError('BAD_BASE64', `base64 with spare bits set at its end: ${JSON.stringify(tail)}`);
  }
  return bytes;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** From here on four bytes at a time are faster, although that needs two views. */
const LONG_BYTES = 256;
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Equal length and content. Not constant time: use it for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  if (a.length >= LONG_BYTES) {
    const [left, right] = [viewOf(a), viewOf(b)];
    for (const last = a.length - 4; i <= last; i += 4) if (left.getInt32(i) !== right.getInt32(i)) return false;
  }
  for (; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
