/** What both ends know of an open session. Started by session.ts, used by session-protection.ts. */
import type { HashName } from './constants.ts';
import type { TpmCrypto } from './crypto-port.ts';

export type SessionKind = 'hmac' | 'policy' | 'trial';

/** A session that is open in the TPM; it takes one of about three slots until flushed. One command at a time may use it. */
export interface AuthSession {
  readonly handle: number;
  readonly kind: SessionKind;
  readonly hash: HashName;
  /** AES-CFB key size of parameter encryption, in bits; 0 for none. */
  readonly cipherBits: 0 | 128 | 256;
  readonly crypto: TpmCrypto;
  /** Secret. Empty for a session that is neither salted nor bound. */
  readonly sessionKey: Uint8Array;
  /** Name of the entity whose password is already in the session key. */
  readonly boundTo: Uint8Array | undefined;
  /** Changes with every response. */
  nonceTpm: Uint8Array;
  /** Whether a policy wants the object's password in the HMAC, as TPM2_PolicyAuthValue does. */
  policyWantsAuthValue: boolean;
}

/** Passwords count without the zeros at their end, Part 1 §19.4. */
export function withoutTrailingZeros(value: Uint8Array): Uint8Array {
  let end = value.length;
  while (end > 0 && value[end - 1] === 0) end -= 1;
  return value.subarray(0, end);
}
