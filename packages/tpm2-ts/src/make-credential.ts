/**
 * MakeCredential in software (Part 1 §24, annexes B.10.4 and C.6.1): wraps a secret so that only the TPM that holds this
 * EK can open it, and only for the key with this Name. It is the verifier's proof that both live in one TPM.
 * On Node.js take it ready-made from make-credential-node.ts.
 */
import { decode, encode } from './codec.ts';
import { HASH_SIZES, type HashName } from './constants.ts';
import { tpm2bIdObject } from './credential.ts';
import type { TpmCrypto } from './crypto-port.ts';
import { TpmKeyError } from './errors.ts';
import { concat, kdfA } from './kdf.ts';
import { digest, type TpmtPublic, tpmtPublic } from './public-area.ts';
import { shareSecret } from './share-secret.ts';

export interface Credential {
  /** TPM2B_ID_OBJECT, with its size. */
  readonly credentialBlob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET, with its size. */
  readonly encryptedSecret: Uint8Array;
}

export interface CredentialRequest {
  /** TPMT_PUBLIC of the EK: RSA of any size, or P-256, P-384, P-521. */
  readonly ekPublic: Uint8Array;
  /** Name of the AK. */
  readonly akName: Uint8Array;
  /** At most as long as the digest of the EK's nameAlg. */
  readonly secret: Uint8Array;
}

/** @throws TpmKeyError when the EK is no storage key of a supported kind, TpmCodecError when it is malformed */
export function makeCredential(request: CredentialRequest, crypto: TpmCrypto): Credential {
  const ek = decode(tpmtPublic, request.ekPublic, 'ekPublic');
  const { secret: seed, encryptedSecret, hash } = shareSecret(crypto, ek, 'IDENTITY');
  return { credentialBlob: protect(crypto, ek, hash, seed, request), encryptedSecret };
}

/** The outer wrap, the same for all kinds of EK. Exported so that known seeds can be tested. */
export function protect(
  crypto: TpmCrypto,
  ek: TpmtPublic,
  hash: HashName,
  seed: Uint8Array,
  { akName, secret }: Pick<CredentialRequest, 'akName' | 'secret'>,
): Uint8Array {
  if (secret.length > HASH_SIZES[hash]) {
    throw new TpmKeyError(`a secret of ${secret.length} bytes; this EK takes ${HASH_SIZES[hash]}`);
  }
  const key = kdfA(crypto, hash, seed, 'STORAGE', { u: akName }, storageKeyBits(ek));
  const encryptedIdentity = crypto.aesCfb('encrypt', key, new Uint8Array(16), encode(digest, secret, 'secret'));
  const hmacKey = kdfA(crypto, hash, seed, 'INTEGRITY', {}, 8 * HASH_SIZES[hash]);
  const integrityHmac = crypto.hmac(hash, hmacKey, concat(encryptedIdentity, akName));
  return encode(tpm2bIdObject, { integrityHmac, encryptedIdentity });
}

function storageKeyBits(ek: TpmtPublic): number {
  if (ek.type !== 'rsa' && ek.type !== 'ecc') throw new TpmKeyError(`an EK of type ${ek.type}`);
  const { symmetric } = ek;
  if (symmetric.algorithm !== 'aes' || symmetric.mode !== 'cfb') {
    throw new TpmKeyError(`an EK whose symmetric algorithm is ${symmetric.algorithm}: AES in CFB mode is needed`);
  }
  return symmetric.keyBits;
}
