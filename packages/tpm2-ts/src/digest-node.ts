/** The digest function of `name.ts` on Node.js. */
import { createHash } from 'node:crypto';
import type { HashName } from './constants.ts';

/** What OpenSSL calls the hash algorithms. */
export const NODE_HASH_NAMES: Readonly<Record<HashName, string>> = {
  sha1: 'sha1',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
  sm3_256: 'sm3',
  sha3_256: 'sha3-256',
  sha3_384: 'sha3-384',
  sha3_512: 'sha3-512',
};

export function nodeDigest(algorithm: HashName, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(NODE_HASH_NAMES[algorithm]).update(data).digest());
}
