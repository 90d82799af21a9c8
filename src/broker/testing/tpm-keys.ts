/** Public areas for tests that need no TPM behind them: genuine P-256 points with the attributes of an EK and an AK. */
import { generateKeyPairSync } from 'node:crypto';
import { encode } from 'tpm2-ts/codec';
import { type EccPublic, tpmtPublic } from 'tpm2-ts/public-area';

const none = {
  fixedTpm: false,
  stClear: false,
  fixedParent: false,
  sensitiveDataOrigin: false,
  userWithAuth: false,
  adminWithPolicy: false,
  firmwareLimited: false,
  svnLimited: false,
  noDa: false,
  encryptedDuplication: false,
  restricted: false,
  decrypt: false,
  signEncrypt: false,
  x509Sign: false,
};
const bound = {
  ...none,
  fixedTpm: true,
  fixedParent: true,
  sensitiveDataOrigin: true,
  userWithAuth: true,
  restricted: true,
};

export function newEk(change: Partial<EccPublic> = {}): EccPublic {
  return {
    type: 'ecc',
    nameAlg: 'sha256',
    attributes: { ...bound, decrypt: true },
    authPolicy: new Uint8Array(32),
    symmetric: { algorithm: 'aes', keyBits: 128, mode: 'cfb' },
    scheme: { algorithm: 'null' },
    curve: 'p256',
    kdf: { algorithm: 'null' },
    unique: point(),
    ...change,
  };
}

export function newAk(change: Partial<EccPublic> = {}): EccPublic {
  return {
    ...newEk(),
    attributes: { ...bound, signEncrypt: true },
    authPolicy: new Uint8Array(0),
    symmetric: { algorithm: 'null' },
    scheme: { algorithm: 'ecdsa', hash: 'sha256' },
    ...change,
  };
}

export function publicArea(key: EccPublic): Uint8Array {
  return encode(tpmtPublic, key);
}

function point() {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  return { x: new Uint8Array(Buffer.from(x, 'base64url')), y: new Uint8Array(Buffer.from(y, 'base64url')) };
}
