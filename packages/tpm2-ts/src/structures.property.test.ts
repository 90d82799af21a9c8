/** Any value of any structure survives writing and reading; any mutation of its bytes is refused or exact. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from './codec.ts';
import { STRUCTURES } from './testing/arbitraries.ts';

describe.each(STRUCTURES)('$name', ({ codec, values }) => {
  const refusedOrExact = (bytes: Uint8Array) => {
    let read: unknown;
    try {
      read = decode(codec, bytes);
    } catch (error) {
      expect(error).toMatchObject({ name: 'TpmCodecError' });
      return;
    }
    expect(encode(codec, read)).toEqual(bytes);
  };

  it('writes and reads back the same value', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(codec, encode(codec, value))).toEqual(value);
      }),
    );
  });

  it('with any byte changed: refused, or read exactly as written', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const altered = encode(codec, value);
        const index = at % altered.length;
        altered[index] = (altered[index] ?? 0) ^ change;
        refusedOrExact(altered);
      }),
    );
  });

  it('cut anywhere: refused', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, at) => {
        const whole = encode(codec, value);
        expect(() => decode(codec, whole.subarray(0, at % whole.length))).toThrow(
          expect.objectContaining({ name: 'TpmCodecError' }),
        );
      }),
    );
  });

  it('with a byte too many: refused', () => {
    fc.assert(
      fc.property(values, fc.nat(255), (value, extra) => {
        expect(() => decode(codec, Uint8Array.from([...encode(codec, value), extra]))).toThrow(
          expect.objectContaining({ name: 'TpmCodecError', code: 'TRAILING_BYTES' }),
        );
      }),
    );
  });

  it('random bytes: refused, or read exactly as written', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), refusedOrExact));
  });
});
