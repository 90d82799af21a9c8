import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../shared/bytes.ts';
import { isRocaKey } from './ek-roca.ts';

/** Product of the first 126 primes, as the flawed library used it for keys of 2048 bits. */
const PRIMORIAL = firstPrimes(126).reduce((product, prime) => product * BigInt(prime), 1n);

function firstPrimes(count: number): readonly number[] {
  const primes: number[] = [];
  for (let each = 2; primes.length < count; each += 1)
    if (primes.every((prime) => each % prime !== 0)) primes.push(each);
  return primes;
}

function power(exponent: bigint): bigint {
  let [result, base] = [1n, 65_537n];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * base) % PRIMORIAL;
    base = (base * base) % PRIMORIAL;
  }
  return result;
}

const keyOf = (modulus: bigint) => {
  const text = modulus.toString(16);
  return {
    kind: 'rsa',
    modulus: fromHex(text.padStart(text.length + (text.length % 2), '0')),
    exponent: fromHex('010001'),
    oaep: false,
  } as const;
};

describe('keys that give themselves away', () => {
  it('every product of k·M + 65537^a is one', () => {
    const factor = fc
      .tuple(fc.bigInt(1n, 1n << 53n), fc.bigInt(0n, 1n << 62n))
      .map(([k, a]) => k * PRIMORIAL + power(a));
    fc.assert(fc.property(factor, factor, (p, q) => isRocaKey(keyOf(p * q))));
  });

  it('one next to it is none, nor is a key on a curve', () => {
    const modulus = (3n * PRIMORIAL + power(12_345n)) * (5n * PRIMORIAL + power(678n));
    expect(isRocaKey(keyOf(modulus))).toBe(true);
    expect(isRocaKey(keyOf(modulus + 2n))).toBe(false);
    expect(isRocaKey({ kind: 'ec', curve: 'P-256', x: new Uint8Array(32), y: new Uint8Array(32) })).toBe(false);
  });
});
