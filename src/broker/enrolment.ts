/**
 * Enrolment: the rules of credential activation, without database or sockets. The broker encrypts a random secret so
 * that only the TPM holding both the EK and the AK can read it; who brings the secret back has proven just that.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { fromHex, toHex } from '../shared/bytes.ts';
import { RequestError } from './errors.ts';

export const ENROLMENT_LIFETIME_MS = 120_000;
/** Outstanding at once, over all requesters: what an attacker can make the broker remember. */
export const MAX_OUTSTANDING_ENROLMENTS = 1000;
export const SECRET_BYTES = 32;

/**
 * open → activated (right secret in time) or failed (wrong secret: one guess only). A right secret again gives the same
 * answer again, so that an answer lost on the way costs nothing.
 */
export type EnrolmentState = 'open' | 'activated' | 'failed';

export interface Enrolment {
  readonly enrolmentId: string;
  readonly state: EnrolmentState;
  /** The secret itself is never stored. */
  readonly secretSha256: string;
  readonly ekName: string;
  readonly ekPublic: string;
  readonly ekCertificates: readonly string[];
  readonly akName: string;
  readonly akPublic: string;
  readonly expiresAt: Date;
}

export type ActivationJudgement = 'activate' | 'repeat' | 'fail' | 'refuse';

/** What an activation attempt does. `fail` spends the enrolment; `refuse` changes nothing. */
export function judgeActivation(enrolment: Enrolment, secret: Uint8Array, now: Date): ActivationJudgement {
  if (enrolment.state === 'failed' || now >= enrolment.expiresAt) return 'refuse';
  if (!hashesTo(secret, enrolment.secretSha256)) return enrolment.state === 'open' ? 'fail' : 'refuse';
  return enrolment.state === 'open' ? 'activate' : 'repeat';
}

/** One text for every reason, so that an answer teaches a guesser nothing. */
export function activationRefused(): RequestError {
  return new RequestError('ACTIVATION_REFUSED', 'the activation was refused', { nextStep: 'enrol again' });
}

/** Stable for a TPM whatever it boots: SHA-256 of the EK's Name. */
export function machineIdOf(ekName: string): string {
  return toHex(createHash('sha256').update(fromHex(ekName)).digest());
}

export function sha256Hex(bytes: Uint8Array): string {
  return toHex(createHash('sha256').update(bytes).digest());
}

/** Constant time in the secret: digests of equal length are compared. */
function hashesTo(secret: Uint8Array, expected: string): boolean {
  return timingSafeEqual(createHash('sha256').update(secret).digest(), fromHex(expected));
}
