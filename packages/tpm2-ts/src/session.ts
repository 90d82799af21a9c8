/**
 * Sessions whose commands and responses are protected, Part 1 §19 and §21. Commands carry an HMAC that the TPM checks,
 * responses one that we check, and the first parameter of either may be encrypted. All of it is worth what the session key
 * is worth: salted to a key of this TPM it is secret; unsalted and unbound it is not, and protects against accidents only.
 */
import { hashAlgorithm, sessionCipher } from './algorithms.ts';
import { type AuthSession, type SessionKind, withoutTrailingZeros } from './auth-session.ts';
import { decode, encode, oneOf, rest, u8 } from './codec.ts';
import { run, type Tpm } from './command.ts';
import { flushContext } from './commands-context.ts';
import { CC, HASH_SIZES, type HashName, RH } from './constants.ts';
import type { TpmCrypto } from './crypto-port.ts';
import { concat, kdfA } from './kdf.ts';
import { digest, tpmtPublic } from './public-area.ts';
import { shareSecret } from './share-secret.ts';
import { struct } from './struct.ts';

export type { AuthSession, SessionKind };

export interface SessionRequest {
  readonly kind: SessionKind;
  /** For a policy session the nameAlg of the object it shall authorize. Default SHA-256. */
  readonly hash?: HashName;
  /**
   * A loaded decryption key and its TPMT_PUBLIC. The salt is encrypted to it. Who listens on the bus cannot follow; who
   * alters the bus can, unless something else proves that the key is the TPM's own, such as an EK certificate.
   */
  readonly saltTo?: { readonly handle: number; readonly publicArea: Uint8Array };
  /** An entity whose password goes into the session key. */
  readonly bindTo?: { readonly handle: number; readonly name: Uint8Array; readonly authValue: Uint8Array };
  /** Default 128. */
  readonly cipherBits?: 0 | 128 | 256;
}

const startParameters = struct({
  nonceCaller: digest,
  encryptedSalt: rest,
  type: oneOf(u8, { hmac: 0x00, policy: 0x01, trial: 0x03 }),
  symmetric: sessionCipher,
  hash: hashAlgorithm,
});
const NO_SALT = { secret: new Uint8Array(), encryptedSecret: new Uint8Array(2) };

/** TPM2_StartAuthSession, Part 3 §11.1. @throws TpmKeyError when the salt key cannot take a salt */
export async function startAuthSession(tpm: Tpm, crypto: TpmCrypto, request: SessionRequest): Promise<AuthSession> {
  const { kind, hash = 'sha256', saltTo, bindTo, cipherBits = 128 } = request;
  const nonceCaller = crypto.randomBytes(HASH_SIZES[hash]);
  const salt =
    saltTo === undefined
      ? NO_SALT
      : shareSecret(crypto, decode(tpmtPublic, saltTo.publicArea, 'saltTo.publicArea'), 'SECRET');
  const { handle, result } = await run(tpm, {
    name: 'TPM2_StartAuthSession',
    code: CC.startAuthSession,
    handles: [saltTo?.handle ?? RH.null, bindTo?.handle ?? RH.null],
    parameters: encode(startParameters, {
      nonceCaller,
      encryptedSalt: salt.encryptedSecret,
      type: kind,
      symmetric: cipherBits === 0 ? { algorithm: 'null' } : { algorithm: 'aes', keyBits: cipherBits, mode: 'cfb' },
      hash,
    }),
    responseHandles: 1,
    response: struct({ nonceTpm: digest }),
  });
  const { nonceTpm } = result;
  const seed = concat(withoutTrailingZeros(bindTo?.authValue ?? new Uint8Array()), salt.secret);
  const hasKey = saltTo !== undefined || bindTo !== undefined;
  return {
    handle,
    kind,
    hash,
    cipherBits,
    crypto,
    sessionKey: hasKey
      ? kdfA(crypto, hash, seed, 'ATH', { u: nonceTpm, v: nonceCaller }, 8 * HASH_SIZES[hash])
      : new Uint8Array(),
    boundTo: bindTo?.name,
    nonceTpm,
    policyWantsAuthValue: false,
  };
}

/** Opens a session, runs `work` in it and flushes it; when both fail, the error of `work` is the one that matters. */
export async function withAuthSession<T>(
  tpm: Tpm,
  crypto: TpmCrypto,
  request: SessionRequest,
  work: (session: AuthSession) => Promise<T>,
): Promise<T> {
  const session = await startAuthSession(tpm, crypto, request);
  return flushing(tpm, session.handle, () => work(session));
}

/** Runs `work`, then frees the handle; when both fail, the error of `work` is the one that matters. */
export async function flushing<T>(tpm: Tpm, handle: number, work: () => Promise<T>): Promise<T> {
  const result = await work().catch(async (error: unknown) => {
    await flushContext(tpm, handle).catch(() => {});
    throw error;
  });
  await flushContext(tpm, handle);
  return result;
}
