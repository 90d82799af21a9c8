/**
 * Secrets sent to a TPM under the public part of one of its decryption keys (Part 1, annexes B.10 and C.6): the seed of a
 * credential, the salt of a session. Only the TPM that holds the private part learns them.
 */
import { encode, sized, u16 } from './codec.ts';
import { HASH_SIZES, type HashName } from './constants.ts';
import { tpm2bEncryptedSecret } from './credential.ts';
import type { TpmCrypto } from './crypto-port.ts';
import { TpmKeyError } from './errors.ts';
import { kdfE, withZero } from './kdf.ts';
import { eccPoint, type TpmtPublic } from './public-area.ts';

/** What the secret is for; the TPM refuses one made for something else. */
export type SecretPurpose = 'IDENTITY' | 'SECRET' | 'DUPLICATE';

export interface SharedSecret {
  /** As long as the digest of the key's nameAlg. */
  readonly secret: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET, with its size. */
  readonly encryptedSecret: Uint8Array;
  /** The key's nameAlg, which everything derived from the secret uses too. */
  readonly hash: HashName;
}

/** @throws TpmKeyError when the key is of another kind than RSA or NIST curve, or is not what it says it is */
export function shareSecret(crypto: TpmCrypto, key: TpmtPublic, purpose: SecretPurpose): SharedSecret {
  if (key.type !== 'rsa' && key.type !== 'ecc') throw new TpmKeyError(`a key of type ${key.type} can take no secret`);
  const hash = supportedHash(key.nameAlg);
  const size = HASH_SIZES[hash];
  if (key.type === 'rsa') {
    const secret = crypto.randomBytes(size);
    const encrypted = crypto.rsaOaepEncrypt(key, hash, withZero(purpose), secret);
    return { secret, encryptedSecret: encode(tpm2bEncryptedSecret, encrypted), hash };
  }
  const { point, sharedX, keyX } = crypto.ecdhEphemeral(key);
  const secret = kdfE(crypto, hash, sharedX, purpose, { u: point.x, v: keyX }, 8 * size);
  return { secret, encryptedSecret: encode(sized(u16, eccPoint), point), hash };
}

function supportedHash(name: HashName | 'null'): HashName {
  if (name === 'sha256' || name === 'sha384' || name === 'sha512') return name;
  throw new TpmKeyError(`a key whose nameAlg is ${name}: SHA-256, SHA-384 or SHA-512 is needed`);
}
