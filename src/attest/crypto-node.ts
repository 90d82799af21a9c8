/** `AttestCrypto` on node:crypto. */
import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import type { AttestCrypto, SignatureCheck, VerificationKey } from './crypto.ts';

export const nodeAttestCrypto: AttestCrypto = {
  hash: (name, data) => new Uint8Array(hash(name, data, 'buffer')),
  verify: (check) => {
    try {
      return verifyWith(importKey(check.key), check);
    } catch {
      return false; // a point off the curve, an even modulus: no key, so no valid signature
    }
  },
};

function verifyWith(key: KeyObject, check: SignatureCheck): boolean {
  switch (check.scheme) {
    case 'ecdsa':
      if (key.asymmetricKeyType !== 'ec') return false;
      return verify(check.hash, check.data, { key, dsaEncoding: 'ieee-p1363' }, check.signature);
    case 'rsassa':
      if (key.asymmetricKeyType !== 'rsa') return false;
      return verify(check.hash, check.data, { key, padding: constants.RSA_PKCS1_PADDING }, check.signature);
    case 'rsapss':
      if (key.asymmetricKeyType !== 'rsa') return false;
      return verify(
        check.hash,
        check.data,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
        check.signature,
      );
    default:
      check.scheme satisfies never;
      return false;
  }
}

function importKey(key: VerificationKey): KeyObject {
  switch (key.kind) {
    case 'spki':
      return createPublicKey({ key: Buffer.from(key.der), format: 'der', type: 'spki' });
    case 'ec':
      return createPublicKey({
        key: { kty: 'EC', crv: key.curve, x: base64url(key.x), y: base64url(key.y) },
        format: 'jwk',
      });
    case 'rsa':
      return createPublicKey({
        key: { kty: 'RSA', n: base64url(key.modulus), e: base64url(key.exponent) },
        format: 'jwk',
      });
  }
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
