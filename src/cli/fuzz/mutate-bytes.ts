/** Changes bytes without knowing what they are: flips, numbers that parsers stumble over, pieces moved and repeated. */
import { concatBytes } from '../../shared/bytes.ts';
import type { Random } from './random.ts';

/** Edges of signed, unsigned and size arithmetic. */
const NUMBERS = [
  0, 1, 2, 3, 4, 7, 8, 16, 20, 32, 33, 64, 127, 128, 255, 256, 4096, 32767, 32768, 65535, 65536,
] as const;
const LARGE = [0x00ffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff] as const;

/** One to eight changes. `others`: inputs to take pieces of. */
export function mutateBytes(
  input: Uint8Array,
  others: readonly Uint8Array[],
  maxBytes: number,
  random: Random,
): Uint8Array {
  let bytes = Uint8Array.from(input);
  for (let left = 1 + random.below(random.chance(4) ? 8 : 3); left > 0; left -= 1) {
    bytes = Uint8Array.from(change(bytes, others, random)).subarray(0, maxBytes);
  }
  return bytes;
}

function change(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const size = Math.min(bytes.length - at, random.chance(4) ? random.below(256) : random.below(16));
  const [head, piece, tail] = [bytes.subarray(0, at), bytes.subarray(at, at + size), bytes.subarray(at + size)];
  switch (random.below(11)) {
    case 0:
      return setByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
    case 1:
      return setByte(bytes, at, random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]));
    case 2:
    case 3:
      return putNumber(bytes, at, random);
    case 4:
      return concatBytes(head, tail);
    case 5:
      return concatBytes(head, piece, piece, tail);
    case 6:
      return concatBytes(head, ...Array.from({ length: random.below(200) }, () => piece), tail);
    case 7:
      return concatBytes(head, random.bytes(random.below(16)), tail);
    case 8: {
      const other = random.pick(others) ?? bytes;
      const from = random.below(other.length + 1);
      return concatBytes(head, other.subarray(from, from + random.below(512)), random.chance(2) ? tail : piece);
    }
    case 9: {
      const to = random.below(tail.length + 1);
      return concatBytes(head, tail.subarray(0, to), piece, tail.subarray(to));
    }
    default:
      return head;
  }
}

function setByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (at < copy.length) copy[at] = value;
  return copy;
}

function putNumber(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  const width = random.pick([1, 2, 4, 8]);
  if (at + width > copy.length) return copy;
  const little = random.chance(2);
  const near = random.pick([bytes.length, bytes.length - at, bytes.length - at - width]);
  const value = random.chance(3)
    ? near + random.below(5) - 2
    : random.chance(2)
      ? random.pick(LARGE)
      : random.pick(NUMBERS);
  if (width === 1) view.setUint8(at, value);
  if (width === 2) view.setUint16(at, value, little);
  if (width === 4) view.setUint32(at, value, little);
  if (width === 8)
    view.setBigUint64(at, BigInt.asUintN(64, BigInt(value) * (random.chance(4) ? 0x1_0000_0001n : 1n)), little);
  return copy;
}
