/** `AttestCrypto` on node:crypto. */
import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { type AttestCrypto, CURVE_BYTES, type HashName, type SignatureCheck, type VerificationKey } from './crypto.ts';
import { readPublicKeyInfo } from './spki.ts';

export const nodeAttestCrypto: AttestCrypto = cryptoWith(importKey);

/**
 * Remembers the last `count` public keys it imported, since importing a key on a curve costs as much as verifying with it:
 * a broker sees the same machines again and again.
 */
export function rememberingNodeCrypto(count: number): AttestCrypto {
  const keys = lastUsed<KeyObject>(count);
  return cryptoWith((key) => keys(keyName(key), () => importKey(key)));
}

/** Values by name, made when they are first asked for; beyond `count`, the one that was not asked for longest goes. */
function lastUsed<T>(count: number): (name: string, make: () => T) => T {
  const values = new Map<string, T>();
  return (name, make) => {
    const value = values.has(name) ? (values.get(name) as T) : make();
    values.delete(name); // put back last
    values.set(name, value);
    const [oldest] = values.keys();
    if (values.size > count && oldest !== undefined) values.delete(oldest);
    return value;
  };
}

function cryptoWith(keyObject: (key: VerificationKey) => KeyObject): AttestCrypto {
  return {
    hash: digestOf,
    verify: (check) => {
      try {
        return verifyWith(keyObject(check.key), check);
      } catch {
        return false; // a point off the curve, an even modulus: no key, so no valid signature
      }
    },
  };
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

/** One name per key; a key given in two forms has two. */
function keyName(key: VerificationKey): string {
  if (key.kind === 'spki') return `spki ${latin1(key.der)}`;
  if (key.kind === 'ec') return `${key.curve} ${latin1(key.x)}${latin1(key.y)}`;
  return `rsa ${key.modulus.length} ${latin1(key.modulus)}${latin1(key.exponent)}`;
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const base64url = (bytes: Uint8Array): string => view(bytes).toString('base64url');
const latin1 = (bytes: Uint8Array): string => view(bytes).toString('latin1');
