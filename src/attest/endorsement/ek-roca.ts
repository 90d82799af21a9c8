/**
 * Was this RSA key made by the library of Infineon chips that gives keys away (ROCA, CVE-2017-15361)? Its primes are
 * powers of 65537 modulo many small primes, and so is their product: a key made otherwise has that by chance once in 2^27.
 */
import type { CertifiedKey } from '../der/der-key.ts';

const GENERATOR = 65_537;
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
];
/** For each prime the residues that powers of the generator take. */
const POWERS: readonly (readonly [prime: number, residues: ReadonlySet<number>])[] = PRIMES.map((prime) => {
  const residues = new Set<number>();
  for (let power = 1; !residues.has(power); power = (power * GENERATOR) % prime) residues.add(power);
  return [prime, residues];
});

export function isRocaKey(key: CertifiedKey): boolean {
  return key.kind === 'rsa' && POWERS.every(([prime, residues]) => residues.has(remainder(key.modulus, prime)));
}

function remainder(bigEndian: Uint8Array, prime: number): number {
  let rest = 0;
  for (const byte of bigEndian) rest = (rest * 256 + byte) % prime;
  return rest;
}
