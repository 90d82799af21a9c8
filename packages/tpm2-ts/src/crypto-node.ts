/** `TpmCrypto` on Node.js' own OpenSSL. */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import type { CurveName } from './constants.ts';
import type { TpmCrypto } from './crypto-port.ts';
import { NODE_HASH_NAMES, nodeDigest } from './digest-node.ts';
import { TpmKeyError } from './errors.ts';
import type { EccPublic } from './public-area.ts';
import { subjectPublicKeyInfo } from './public-key.ts';

export const nodeCrypto: TpmCrypto = {
  digest: nodeDigest,
  hmac: (hash, key, data) => new Uint8Array(createHmac(NODE_HASH_NAMES[hash], key).update(data).digest()),
  aesCfb: (direction, key, iv, data) => {
    const algorithm = `aes-${8 * key.length}-cfb`;
    const cipher = direction === 'encrypt' ? createCipheriv(algorithm, key, iv) : createDecipheriv(algorithm, key, iv);
    return Uint8Array.from([...cipher.update(data), ...cipher.final()]);
  },
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
  rsaOaepEncrypt: (key, hash, label, message) => {
    const spki = Buffer.from(subjectPublicKeyInfo(key));
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: NODE_HASH_NAMES[hash], oaepLabel: label };
    try {
      const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      return new Uint8Array(publicEncrypt({ key: publicKey, ...padding }, message));
    } catch (cause) {
      throw new TpmKeyError(`this RSA-${key.keyBits} key cannot encrypt`, { cause });
    }
  },
  ecdhEphemeral,
};

const CURVES: Partial<Record<CurveName, { readonly name: string; readonly bytes: number }>> = {
  p256: { name: 'prime256v1', bytes: 32 },
  p384: { name: 'secp384r1', bytes: 48 },
  p521: { name: 'secp521r1', bytes: 66 },
};

function ecdhEphemeral(key: EccPublic): ReturnType<TpmCrypto['ecdhEphemeral']> {
  const curve = CURVES[key.curve];
  if (curve === undefined) throw new TpmKeyError(`a key on curve ${key.curve}: P-256, P-384 or P-521 is needed`);
  const { name, bytes } = curve;
  const ephemeral = createECDH(name);
  const own = ephemeral.generateKeys(); // 4, x, y
  const spki = subjectPublicKeyInfo(key);
  const point = spki.subarray(spki.length - 2 * bytes - 1); // SubjectPublicKeyInfo ends in the uncompressed point
  return {
    point: { x: new Uint8Array(own.subarray(1, 1 + bytes)), y: new Uint8Array(own.subarray(1 + bytes)) },
    sharedX: sharedWith(ephemeral, point),
    keyX: point.slice(1, 1 + bytes),
  };
}

/** OpenSSL checks that the point is on the curve. */
function sharedWith(ephemeral: ReturnType<typeof createECDH>, point: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(ephemeral.computeSecret(point));
  } catch (cause) {
    throw new TpmKeyError('the key is not a point on its curve', { cause });
  }
}
