/** The authorization area of commands and responses, Part 1 §18 and Part 2 §10.13: one entry for each session. */
import { type Codec, flags, list, sizedBytes, u8, u32, type Value } from './codec.ts';
import { struct } from './struct.ts';

/** TPMA_SESSION, Part 2 §8.4. Reserved bits are refused. */
export const sessionAttributes = flags(u8, {
  continueSession: 0,
  auditExclusive: 1,
  auditReset: 2,
  /** The first parameter of the command is encrypted: the TPM decrypts it. */
  decrypt: 5,
  /** The first parameter of the response is encrypted. */
  encrypt: 6,
  audit: 7,
});
export type SessionAttributes = Value<typeof sessionAttributes>;
export const NO_ATTRIBUTES: SessionAttributes = {
  continueSession: false,
  auditExclusive: false,
  auditReset: false,
  decrypt: false,
  encrypt: false,
  audit: false,
};

/** At most one SHA-512 each. */
const nonceOrHmac = sizedBytes(64);
/** TPMS_AUTH_COMMAND, Part 2 §10.13.2. */
export const authCommand = struct({
  session: u32,
  nonce: nonceOrHmac,
  attributes: sessionAttributes,
  hmac: nonceOrHmac,
});
export type AuthCommand = Value<typeof authCommand>;
/** TPMS_AUTH_RESPONSE, Part 2 §10.13.3. */
export const authResponse = struct({ nonce: nonceOrHmac, attributes: sessionAttributes, hmac: nonceOrHmac });
export type AuthResponse = Value<typeof authResponse>;

/** A command has at most three sessions. */
export const MAX_SESSIONS = 3;

/** `count` elements whose number is not on the wire: it follows from the command. */
export function exactly<T>(count: number, element: Codec<T>): Codec<readonly T[]> {
  return list({ read: () => count, write: () => {} }, element, count);
}
