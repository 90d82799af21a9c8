/**
 * What a quote is made over: one hash that binds the challenge, the key of this session, the role, the broker and what
 * the machine says of itself, so that a quote answers one question of one broker, speaks for one key and says one thing.
 */

import { concatBytes } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';

const utf8 = new TextEncoder();
const LABEL = utf8.encode('cpushare-live/attestation\0');
const VERSION = 2;
export const CHALLENGE_BYTES = 32;
export const BROKER_ID_BYTES = 32;

export class QualifyingDataError extends CodedError<'QUALIFYING_DATA_FIELD'> {}

/**
 * Who asked. `seller`: the broker that the machine sells through; `seller-to-buyer`: somebody else, through that broker. The
 * machine puts in the one it was asked as, so that an answer to the one is never an answer to the other.
 */
export type QuoteRole = 'seller' | 'seller-to-buyer';

export interface QuoteBinding {
  /** 32 random bytes of the verifier. */
  readonly challenge: Uint8Array;
  /** SubjectPublicKeyInfo DER. */
  readonly sessionPublicKey: Uint8Array;
  readonly role: QuoteRole;
  /** SHA-256 of the broker certificate's SubjectPublicKeyInfo. */
  readonly brokerId: Uint8Array;
  /** UTF-8 JSON of `MachineClaims`: made before the quote, and the TPM's signature covers them. */
  readonly claims: Uint8Array;
}

/** SHA-256(label NUL || version u8 || each field with its u16 length, big-endian): always 32 bytes, which every TPM takes. */
export function qualifyingData(binding: QuoteBinding, crypto: Pick<AttestCrypto, 'hash'>): Uint8Array {
  requireLength('challenge', binding.challenge, CHALLENGE_BYTES);
  requireLength('brokerId', binding.brokerId, BROKER_ID_BYTES);
  const { challenge, sessionPublicKey, role, brokerId, claims } = binding;
  const fields = [challenge, sessionPublicKey, utf8.encode(role), brokerId, claims].flatMap(withLength);
  return crypto.hash('sha256', concatBytes(LABEL, Uint8Array.of(VERSION), ...fields));
}

function withLength(field: Uint8Array): Uint8Array[] {
  if (field.length > 0xffff) {
    throw new QualifyingDataError('QUALIFYING_DATA_FIELD', `a field has ${field.length} bytes, at most 65535 fit`);
  }
  return [Uint8Array.of(field.length >> 8, field.length & 0xff), field];
}

function requireLength(name: string, field: Uint8Array, bytes: number): void {
  if (field.length !== bytes) {
    throw new QualifyingDataError('QUALIFYING_DATA_FIELD', `${name} has ${field.length} bytes, must have ${bytes}`);
  }
}
