/** `AttestCrypto` on node:crypto. */
import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { type AttestCrypto, CURVE_BYTES, type HashName, type SignatureCheck, type VerificationKey } from './crypto.ts';
import { readPublicKeyInfo } from './spki.ts';

/**
 * Importing a key on a curve costs as much as verifying with it, so a key object that is used again was not imported
 * again: who keeps keys (trust anchors, those of machines that come again) saves it, and nothing outlives its key.
 */
const imported = new WeakMap<VerificationKey, KeyObject>();

export const nodeAttestCrypto: AttestCrypto = {
  hash: digestOf,
  verify: (check) => {
    try {
      return verifyWith(keyObject(check.key), check);
    } catch {
      return false; // a point off the curve, an even modulus: no key, so no valid signature
    }
  },
};

function keyObject(key: VerificationKey): KeyObject {
  const known = imported.get(key);
  if (known !== undefined) return known;
  const made = importKey(key);
  imported.set(key, made);
  return made;
}

/** By way of a string, which takes a third of the time of a Buffer made on the native side: replay is hashes all the way. */
function digestOf(name: HashName, data: Uint8Array): Uint8Array {
  const text = hash(name, data, 'binary');
  const digest = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) digest[index] = text.charCodeAt(index);
  return digest;
}

function verifyWith(key: KeyObject, { scheme, hash: digest, data, signature }: SignatureCheck): boolean {
  switch (scheme) {
    case 'ecdsa':
      return key.asymmetricKeyType === 'ec' && verify(digest, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'rsassa':
      return (
        key.asymmetricKeyType === 'rsa' &&
        verify(digest, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature)
      );
    case 'rsapss': {
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
      return key.asymmetricKeyType === 'rsa' && verify(digest, data, { key, ...padding }, signature);
    }
    default:
      scheme satisfies never;
      return false;
  }
}

/** As JWK: OpenSSL reads that several times faster than DER. */
function importKey(key: VerificationKey): KeyObject {
  const plain = key.kind === 'spki' ? readPublicKeyInfo(key.der) : key;
  if (plain.kind === 'rsa') {
    const jwk = { kty: 'RSA', n: base64url(plain.modulus), e: base64url(plain.exponent) };
    return createPublicKey({ key: jwk, format: 'jwk' });
  }
  const { curve, x, y } = plain;
  const width = CURVE_BYTES[curve];
  if (x.length !== width || y.length !== width) throw new Error(`coordinates that do not have the width of ${curve}`);
  return createPublicKey({ key: { kty: 'EC', crv: curve, x: base64url(x), y: base64url(y) }, format: 'jwk' });
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const base64url = (bytes: Uint8Array): string => view(bytes).toString('base64url');
