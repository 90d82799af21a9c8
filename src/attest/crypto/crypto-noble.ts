/** `AttestCrypto` in JavaScript alone, for browsers: @noble for hashes and curves, RSA in BigInt (`rsa-verify.ts`). */
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '../../shared/bytes.ts';
import {
  type AttestCrypto,
  CURVE_BYTES,
  type CurveName,
  type HashName,
  type SignatureCheck,
  type VerificationKey,
} from './crypto.ts';
import { verifyRsa } from './rsa-verify.ts';
import { readPublicKeyInfo } from './spki.ts';

const HASHES: { readonly [name in HashName]: (data: Uint8Array) => Uint8Array } = { sha1, sha256, sha384, sha512 };
const CURVES: { readonly [name in CurveName]: ECDSA } = { 'P-256': p256, 'P-384': p384, 'P-521': p521 };

export const nobleAttestCrypto: AttestCrypto = {
  hash: (name, data) => HASHES[name](data),
  verify: (check) => {
    try {
      return verifyWith(plainKey(check.key), check);
    } catch {
      return false; // a point off the curve, a key of another algorithm: no key, so no valid signature
    }
  },
};

type PlainKey = Exclude<VerificationKey, { kind: 'spki' }>;

function plainKey(key: VerificationKey): PlainKey {
  return key.kind === 'spki' ? readPublicKeyInfo(key.der) : key;
}

function verifyWith(key: PlainKey, { scheme, hash, data, signature }: SignatureCheck): boolean {
  if (scheme === 'ecdsa') return key.kind === 'ec' && verifyEcdsa(key, HASHES[hash](data), signature);
  return key.kind === 'rsa' && verifyRsa({ key, scheme, hash, hashOf: HASHES[hash], data, signature });
}

/** FIPS 186-5 §6.4.2. Both of (r, s) and (r, n - s) are valid: TPMs make either. */
function verifyEcdsa(key: PlainKey & { kind: 'ec' }, digest: Uint8Array, signature: Uint8Array): boolean {
  const width = CURVE_BYTES[key.curve];
  if (key.x.length !== width || key.y.length !== width || signature.length !== 2 * width) return false;
  const point = concatBytes(Uint8Array.of(0x04), key.x, key.y);
  return CURVES[key.curve].verify(signature, digest, point, { prehash: false, lowS: false, format: 'compact' });
}
