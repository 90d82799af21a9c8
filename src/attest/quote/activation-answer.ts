/**
 * Credential activation at a distance: a verifier wraps a secret for one EK and one AK (TPM2_MakeCredential), others carry
 * it to the machine, and the machine answers with an HMAC under that secret over this very quote. Whoever carries it learns
 * nothing: the secret itself never leaves the machine.
 */
import { concatBytes, equalBytes } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';

const LABEL = new TextEncoder().encode('cpushare-live/activation-answer\0');
/** Every secret that a verifier wraps for itself begins so; a broker's enrolment secret must not. */
const TAG = new TextEncoder().encode('cpsbuyer');
/** What a credential carries at most, for every EK: a SHA-256 digest. */
export const ANSWERABLE_SECRET_BYTES = 32;
export const ANSWERABLE_RANDOM_BYTES = ANSWERABLE_SECRET_BYTES - TAG.length;
const BLOCK_BYTES = 64;

export interface AnsweredQuote {
  /** 32 bytes. */
  readonly challenge: Uint8Array;
  /** TPMS_ATTEST as signed. */
  readonly quote: Uint8Array;
  /** TPMT_SIGNATURE over it. */
  readonly signature: Uint8Array;
}

/** The secret to wrap. `random` is 24 fresh bytes. */
export function answerableSecret(random: Uint8Array): Uint8Array {
  if (random.length !== ANSWERABLE_RANDOM_BYTES) {
    throw new RangeError(
      `an answerable secret takes ${ANSWERABLE_RANDOM_BYTES} random bytes, given were ${random.length}`,
    );
  }
  return concatBytes(TAG, random);
}

/** Whether a secret out of a credential is one to answer with; every other is nobody's business but the broker's. */
export function isAnswerable(secret: Uint8Array): boolean {
  return secret.length === ANSWERABLE_SECRET_BYTES && equalBytes(secret.subarray(0, TAG.length), TAG);
}

/** HMAC-SHA256(secret, label NUL || challenge, quote, signature, each with its u16 length): 32 bytes. */
export function activationAnswer(
  secret: Uint8Array,
  { challenge, quote, signature }: AnsweredQuote,
  crypto: Pick<AttestCrypto, 'hash'>,
): Uint8Array {
  const fields = [challenge, quote, signature].flatMap((field) => [
    Uint8Array.of(field.length >> 8, field.length & 0xff),
    field,
  ]);
  return hmacSha256(secret, concatBytes(LABEL, ...fields), crypto);
}

/** RFC 2104 over the port's hash, for keys of at most one block. */
export function hmacSha256(key: Uint8Array, data: Uint8Array, crypto: Pick<AttestCrypto, 'hash'>): Uint8Array {
  if (key.length > BLOCK_BYTES) throw new RangeError(`an HMAC key of ${key.length} bytes; at most ${BLOCK_BYTES}`);
  const padded = (mask: number) => Uint8Array.from({ length: BLOCK_BYTES }, (_, index) => (key[index] ?? 0) ^ mask);
  const inner = crypto.hash('sha256', concatBytes(padded(0x36), data));
  return crypto.hash('sha256', concatBytes(padded(0x5c), inner));
}
