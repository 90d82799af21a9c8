/** The combinators: both directions, every way of being wrong, and the place named in the error. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockInfo } from './attest.ts';
import {
  type Codec,
  decode,
  encode,
  fixed,
  flags,
  list,
  numberIn,
  oneOf,
  sized,
  sizedBytes,
  u8,
  u16,
  u32,
  u64,
  yesNo,
} from './codec.ts';
import { constant, struct, tagged } from './struct.ts';
import { hex, toHex } from './testing/vectors.ts';

const animal = tagged({ kind: oneOf(u8, { cat: 1, dog: 2, fish: 3 }), id: constant(u8, 0x7f) }, 'kind', {
  cat: struct({ lives: u8 }),
  dog: struct({ name: sizedBytes(4) }),
});
const someFlags = flags(u8, { low: 0, high: 7 });

const good: readonly { name: string; codec: Codec<unknown>; hex: string; value: unknown }[] = [
  { name: 'u8', codec: u8, hex: 'ff', value: 255 },
  { name: 'u16', codec: u16, hex: '8001', value: 0x8001 },
  { name: 'u32', codec: u32, hex: 'ff544347', value: 0xff544347 },
  { name: 'u64', codec: u64, hex: 'ffffffffffffffff', value: 0xffff_ffff_ffff_ffffn },
  { name: 'yes', codec: yesNo, hex: '01', value: true },
  { name: 'no', codec: yesNo, hex: '00', value: false },
  { name: 'fixed', codec: fixed(2), hex: 'abcd', value: hex('abcd') },
  { name: 'empty sized', codec: sizedBytes(2), hex: '0000', value: hex('') },
  { name: 'sized struct', codec: sized(u16, struct({ a: u8 })), hex: '000105', value: { a: 5 } },
  { name: 'list', codec: list(u32, u8, 3), hex: '000000020102', value: [1, 2] },
  { name: 'flags', codec: someFlags, hex: '80', value: { low: false, high: true } },
  { name: 'one of numbers', codec: numberIn(u16, [128, 256]), hex: '0100', value: 256 },
  { name: 'first arm', codec: animal, hex: '017f09', value: { kind: 'cat', lives: 9 } },
  { name: 'second arm', codec: animal, hex: '027f000141', value: { kind: 'dog', name: hex('41') } },
  {
    name: 'clock',
    codec: clockInfo,
    hex: '0000000000000005000000020000000101',
    value: { clock: 5n, resetCount: 2, restartCount: 1, safe: true },
  },
];

describe('reads and writes', () => {
  it.each(good)('$name', ({ codec, hex: text, value }) => {
    expect(decode(codec, hex(text))).toEqual(value);
    expect(toHex(encode(codec, value))).toBe(text);
  });

  it.each(good)('$name: refused when cut anywhere or one byte longer', ({ codec, hex: text }) => {
    const bytes = hex(text);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decode(codec, bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
    }
    expect(() => decode(codec, hex(`${text}00`))).toThrow(expect.objectContaining({ code: 'TRAILING_BYTES' }));
  });
});

describe('refuses to read', () => {
  it.each([
    { name: 'yes = 2', codec: yesNo, hex: '02', code: 'BAD_VALUE', offset: 0, path: 'top' },
    {
      name: 'safe = 2',
      codec: clockInfo,
      hex: `${'00'.repeat(16)}02`,
      code: 'BAD_VALUE',
      offset: 16,
      path: 'top.safe',
    },
    { name: 'a wrong constant', codec: animal, hex: '017e09', code: 'BAD_VALUE', offset: 1, path: 'top.id' },
    { name: 'an unknown tag', codec: animal, hex: '097f09', code: 'BAD_VALUE', offset: 0, path: 'top.kind' },
    { name: 'a tag without an arm', codec: animal, hex: '037f09', code: 'BAD_VALUE', offset: 0, path: 'top.fish' },
    {
      name: 'a number outside the set',
      codec: numberIn(u8, [1]),
      hex: '02',
      code: 'BAD_VALUE',
      offset: 0,
      path: 'top',
    },
    { name: 'a reserved bit', codec: someFlags, hex: '02', code: 'BAD_VALUE', offset: 0, path: 'top' },
    { name: 'too large a size', codec: animal, hex: '027f0005', code: 'TOO_LARGE', offset: 2, path: 'top.dog.name' },
    { name: 'too many elements', codec: list(u32, u8, 3), hex: 'ffffffff', code: 'TOO_LARGE', offset: 0, path: 'top' },
    {
      name: 'a sized value that is too long',
      codec: sized(u16, u8),
      hex: '00020000',
      code: 'TRAILING_BYTES',
      offset: 3,
      path: 'top',
    },
    {
      name: 'a sized value that is too short',
      codec: sized(u16, u16),
      hex: '00010000',
      code: 'TRUNCATED',
      offset: 2,
      path: 'top',
    },
    { name: 'a cut element', codec: list(u8, u16, 3), hex: '02000100', code: 'TRUNCATED', offset: 3, path: 'top[1]' },
  ])('$name', ({ codec, hex: text, code, offset, path }) => {
    expect(() => decode<unknown>(codec, hex(text), 'top')).toThrow(expect.objectContaining({ code, offset, path }));
  });
});

describe('refuses to write', () => {
  it.each([
    { name: 'a number too large', codec: u8, value: 256, code: 'BAD_VALUE' },
    { name: 'a negative number', codec: u32, value: -1, code: 'BAD_VALUE' },
    { name: 'a fraction', codec: u16, value: 1.5, code: 'BAD_VALUE' },
    { name: 'a 65-bit number', codec: u64, value: 2n ** 64n, code: 'BAD_VALUE' },
    { name: 'an unknown name', codec: oneOf(u8, { a: 1 }), value: 'toString', code: 'BAD_VALUE' },
    { name: 'a number outside the set', codec: numberIn(u8, [1]), value: 2, code: 'BAD_VALUE' },
    { name: 'wrong fixed size', codec: fixed(2), value: hex('00'), code: 'BAD_VALUE' },
    { name: 'a tag without an arm', codec: animal, value: { kind: 'fish' }, code: 'BAD_VALUE' },
    { name: 'too many bytes', codec: sizedBytes(1), value: hex('0000'), code: 'TOO_LARGE' },
    { name: 'too many elements', codec: list(u8, u8, 1), value: [1, 2], code: 'TOO_LARGE' },
    {
      name: 'more than the size field holds',
      codec: sized(u8, fixed(256)),
      value: new Uint8Array(256),
      code: 'TOO_LARGE',
    },
  ])('$name', ({ codec, value, code }) => {
    expect(() => encode(codec as Codec<unknown>, value)).toThrow(expect.objectContaining({ code }));
  });
});

describe('properties', () => {
  const nested = struct({ flag: yesNo, big: u64, items: list(u16, animal, 20), tail: sizedBytes(300) });
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
  const nestedValue = fc.record({
    flag: fc.boolean(),
    big: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    items: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('cat' as const), lives: fc.nat(255) }),
        fc.record({ kind: fc.constant('dog' as const), name: bytes(4) }),
      ),
      { maxLength: 20 },
    ),
    tail: bytes(300),
  });

  it('what is written reads back as the same value', () => {
    fc.assert(
      fc.property(nestedValue, (value) => {
        expect(decode(nested, encode(nested, value))).toEqual(value);
      }),
    );
  });

  it('what can be read writes the same bytes; what cannot is a TpmCodecError', () => {
    fc.assert(
      fc.property(bytes(40), (input) => {
        let value: ReturnType<typeof nested.read>;
        try {
          value = decode(nested, input);
        } catch (error) {
          expect(error).toMatchObject({ name: 'TpmCodecError' });
          return;
        }
        expect(encode(nested, value)).toEqual(input);
      }),
    );
  });
});

it('a field in both header and arm is a mistake of the programmer, found at definition', () => {
  expect(() => tagged({ a: oneOf(u8, { x: 1 }) }, 'a', { x: struct({ a: u8 }) })).toThrow('field a is both');
});
