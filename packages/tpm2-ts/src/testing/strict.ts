/** What every codec owes every real structure. */
import { expect } from 'vitest';
import { type Codec, decode, encode } from '../codec.ts';
import { TpmCodecError } from '../errors.ts';
import { tpmName } from '../name.ts';
import { toHex } from './vectors.ts';

/** Reads, writes the same bytes, and refuses them cut at any length or one byte longer. Returns what was read. */
export function strict<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const value = decode(codec, bytes);
  expect(toHex(encode(codec, value))).toBe(toHex(bytes));
  for (let length = 0; length < bytes.length; length += 1) {
    // A Name may also be that of nothing (0 bytes) or of a handle (4 bytes).
    if (codec === (tpmName as Codec<unknown>) && (length === 0 || length === 4)) continue;
    expect(() => decode(codec, bytes.subarray(0, length)), `${length} bytes`).toThrow(TpmCodecError);
  }
  expect(() => decode(codec, Uint8Array.from([...bytes, 0]))).toThrow(
    expect.objectContaining({ name: 'TpmCodecError', code: 'TRAILING_BYTES' }),
  );
  return value;
}
