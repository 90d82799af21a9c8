/**
 * Composable codecs as values. A codec reads and writes one type of the TPM 2.0 wire format (big-endian, Part 1 §15);
 * larger ones are made from smaller ones, so every structure that can be read can be written. Reading is strict: short,
 * long and unknown input is an error that names the field and the byte, never a guess.
 */
import { Reader, Writer } from './byte-io.ts';

export interface Codec<T> {
  read(source: Reader): T;
  write(value: T, sink: Writer): void;
}
/** The type that a codec reads and writes: `type ClockInfo = Value<typeof clockInfo>`. */
export type Value<C> = C extends Codec<infer T> ? T : never;

/** Decodes all of `bytes`. `name` leads the field path in errors. @throws TpmCodecError */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, name?: string): T {
  const source = new Reader(bytes);
  if (name !== undefined) source.path.push(name);
  const value = codec.read(source);
  source.finish();
  return value;
}

/** @throws TpmCodecError when the value does not fit its type */
export function encode<T>(codec: Codec<T>, value: T, name?: string): Uint8Array {
  const sink = new Writer();
  if (name !== undefined) sink.path.push(name);
  codec.write(value, sink);
  return sink.result();
}

export const u8: Codec<number> = unsigned(1);
export const u16: Codec<number> = unsigned(2);
export const u32: Codec<number> = unsigned(4);

export const u64: Codec<bigint> = {
  read: (source) => {
    source.need(8);
    return (BigInt(source.takeNumber(4)) << 32n) | BigInt(source.takeNumber(4));
  },
  write: (value, sink) => {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw sink.error('BAD_VALUE', `${value} is no 64-bit number`);
    sink.putNumber(Number(value >> 32n), 4);
    sink.putNumber(Number(value & 0xffff_ffffn), 4);
  },
};

/** TPMI_YES_NO, Part 2 §9.2: one byte, 0 or 1 and nothing else. */
export const yesNo: Codec<boolean> = {
  read: (source) => {
    const at = source.offset;
    const value = source.takeNumber(1);
    if (value > 1) throw source.error('BAD_VALUE', `${value} is neither 0 (no) nor 1 (yes)`, at);
    return value === 1;
  },
  write: (value, sink) => sink.putNumber(value ? 1 : 0, 1),
};

/** Exactly `size` bytes. */
export function fixed(size: number): Codec<Uint8Array> {
  return {
    read: (source) => source.take(size),
    write: (value, sink) => {
      if (value.length !== size) throw sink.error('BAD_VALUE', `${value.length} bytes given, ${size} wanted`);
      sink.put(value);
    },
  };
}

/** All bytes that are left. */
export const rest: Codec<Uint8Array> = {
  read: (source) => source.take(source.left),
  write: (value, sink) => sink.put(value),
};

/** A TPM2B: a two-byte size, then that many bytes, at most `max`. */
export function sizedBytes(max: number, size: Codec<number> = u16): Codec<Uint8Array> {
  return sized(size, rest, max);
}

/** A size field, then `inner` filling exactly that size. */
export function sized<T>(size: Codec<number>, inner: Codec<T>, max = 0xffff): Codec<T> {
  return {
    read: (source) => {
      const at = source.offset;
      const length = size.read(source);
      if (length > max) throw source.error('TOO_LARGE', `says ${length} bytes, at most ${max} are allowed`, at);
      source.need(length);
      const outerEnd = source.end;
      source.end = source.offset + length;
      const value = inner.read(source);
      source.finish();
      source.end = outerEnd;
      return value;
    },
    write: (value, sink) => {
      const at = sink.offset;
      size.write(0, sink);
      const start = sink.offset;
      inner.write(value, sink);
      const length = sink.offset - start;
      const most = Math.min(max, 2 ** (8 * (start - at)) - 1);
      if (length > most) throw sink.error('TOO_LARGE', `is ${length} bytes, at most ${most} are allowed`);
      sink.patchNumber(at, length, start - at);
    },
  };
}

/** A count, then that many elements: a TPML. `max` bounds the work an attacker can ask for. */
export function list<T>(count: Codec<number>, element: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    read: (source) => {
      const at = source.offset;
      const length = count.read(source);
      if (length > max) throw source.error('TOO_LARGE', `says ${length} elements, at most ${max} are allowed`, at);
      const values: T[] = [];
      for (let i = 0; i < length; i += 1) {
        source.path.push(`[${i}]`);
        values.push(element.read(source));
        source.path.pop();
      }
      return values;
    },
    write: (values, sink) => {
      if (values.length > max) throw sink.error('TOO_LARGE', `${values.length} elements, at most ${max} are allowed`);
      count.write(values.length, sink);
      values.forEach((value, i) => {
        sink.path.push(`[${i}]`);
        element.write(value, sink);
        sink.path.pop();
      });
    },
  };
}

/** A number that must be one of the named ones; in TypeScript it is the name. */
export function oneOf<Name extends string>(base: Codec<number>, names: Readonly<Record<Name, number>>): Codec<Name> {
  const byNumber = new Map<number, Name>();
  for (const name of Object.keys(names) as Name[]) byNumber.set(names[name], name);
  const known = Object.keys(names).join(', ');
  return {
    read: (source) => {
      const at = source.offset;
      const value = base.read(source);
      const name = byNumber.get(value);
      if (name === undefined) throw source.error('BAD_VALUE', `0x${value.toString(16)} is none of ${known}`, at);
      return name;
    },
    write: (name, sink) => {
      if (!Object.hasOwn(names, name)) throw sink.error('BAD_VALUE', `${JSON.stringify(name)} is none of ${known}`);
      base.write(names[name], sink);
    },
  };
}

/** A number out of a closed set, kept as the number. */
export function numberIn(base: Codec<number>, allowed: readonly number[]): Codec<number> {
  const refuse = (value: number) => `${value} is none of ${allowed.join(', ')}`;
  return {
    read: (source) => {
      const at = source.offset;
      const value = base.read(source);
      if (!allowed.includes(value)) throw source.error('BAD_VALUE', refuse(value), at);
      return value;
    },
    write: (value, sink) => {
      if (!allowed.includes(value)) throw sink.error('BAD_VALUE', refuse(value));
      base.write(value, sink);
    },
  };
}

/** Named bits; a set bit without a name is an error. */
export function flags<Name extends string>(
  base: Codec<number>,
  bits: Readonly<Record<Name, number>>,
): Codec<Readonly<Record<Name, boolean>>> {
  const names = Object.keys(bits) as Name[];
  const mask = names.reduce((sum, name) => sum + 2 ** bits[name], 0);
  return {
    read: (source) => {
      const at = source.offset;
      const value = base.read(source);
      const reserved = (value & ~mask) >>> 0;
      if (reserved !== 0) throw source.error('BAD_VALUE', `reserved bits set: 0x${reserved.toString(16)}`, at);
      const set: Partial<Record<Name, boolean>> = {};
      for (const name of names) set[name] = ((value >>> bits[name]) & 1) === 1;
      return set as Record<Name, boolean>;
    },
    write: (value, sink) =>
      base.write(
        names.reduce((sum, name) => sum + (value[name] ? 2 ** bits[name] : 0), 0),
        sink,
      ),
  };
}

function unsigned(size: 1 | 2 | 4): Codec<number> {
  const max = 2 ** (8 * size) - 1;
  return {
    read: (source) => source.takeNumber(size),
    write: (value, sink) => {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        throw sink.error('BAD_VALUE', `${value} is no ${8 * size}-bit unsigned number`);
      }
      sink.putNumber(value, size);
    },
  };
}
