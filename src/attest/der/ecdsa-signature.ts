/** ECDSA-Sig-Value (RFC 3279 §2.2.3) to the two numbers side by side, each at the curve's width (IEEE P1363). */

import { CURVE_BYTES, type CurveName } from '../crypto/crypto.ts';
import { DerError, derReader, hasMore, inside, TAG, take } from './der.ts';

/** Null for anything but the one DER spelling: a second spelling would be a second signature of the same data. */
export function ecdsaSignature(der: Uint8Array, curve: CurveName): Uint8Array | null {
  const width = CURVE_BYTES[curve];
  const signature = new Uint8Array(2 * width);
  try {
    const outer = derReader(der);
    const sequence = take(outer);
    if (sequence.tag !== TAG.sequence || hasMore(outer)) return null;
    const numbers = inside(sequence);
    for (const offset of [0, width]) {
      const { tag, bytes, content, end } = take(numbers);
      const isPadded = bytes[content] === 0 && (bytes[content + 1] ?? 0) < 0x80;
      const isNegative = (bytes[content] ?? 0x80) >= 0x80;
      if (tag !== TAG.integer || content === end || isPadded || isNegative) return null;
      const number = bytes.subarray(bytes[content] === 0 ? content + 1 : content, end);
      if (number.length > width) return null;
      signature.set(number, offset + width - number.length);
    }
    return hasMore(numbers) ? null : signature;
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}
