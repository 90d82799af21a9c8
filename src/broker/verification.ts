/**
 * A verifier's own challenge on its way through the broker: the rules. waiting → answered or failed, once; nothing leads
 * back. The broker judges none of it: it carries, and bounds what it carries.
 */
import type { VerificationFailure } from '../protocol/relay-messages.ts';
import { RequestError } from './errors.ts';

/** For the machine to answer, at most one quote at a time. */
export const ANSWER_WITHIN_MS = 90_000;
/** For the verifier to collect what was answered. */
export const COLLECT_WITHIN_MS = 120_000;
/** What is over is remembered for this long, without its evidence: that it was, and who had a credential opened. */
export const REMEMBERED_MS = 1_200_000;

export interface VerificationLimits {
  /** Kept at once over all machines, answered ones included: each may hold some megabytes. */
  readonly total: number;
  /** Waiting for one machine: TPMs sign a few times a second at best. */
  readonly perMachine: number;
  /** Kept at once for one address. */
  readonly perRequester: number;
  /** Credentials of one address for one machine while they are remembered: the machine opens few, and they are for everybody. */
  readonly credentials: number;
}

export interface OpenVerification {
  readonly verificationId: string;
  readonly machineId: string;
  /** The address it came from, as the rate limit sees it. */
  readonly requester: string;
  /** Hex. */
  readonly challenge: string;
  readonly credential: { readonly credentialBlob: string; readonly encryptedSecret: string } | null;
  readonly expiresAt: Date;
}

export interface KeptVerification extends OpenVerification {
  readonly state: 'waiting' | 'answered' | 'failed';
  readonly answeredAt: Date | null;
  /** JSON text of an EvidenceDocument. */
  readonly evidence: string | null;
  readonly answer: string | null;
  readonly failure: VerificationFailure | null;
}

/** Null when the machine may answer it now; otherwise why not. */
export function answerRefusal(kept: KeptVerification | null, machineId: string, now: Date): RequestError | null {
  // One that is meant for another machine is none of this one's business: it looks like one that never was.
  if (kept === null || kept.machineId !== machineId) return verificationUnknown();
  if (kept.state !== 'waiting') {
    return new RequestError('VERIFICATION_ANSWERED', 'the machine has answered this challenge already');
  }
  return now >= kept.expiresAt ? verificationExpired(kept.expiresAt) : null;
}

export function verificationUnknown(): RequestError {
  return new RequestError('VERIFICATION_UNKNOWN', 'nothing of this id is waiting, or it was too long ago', {
    nextStep: 'send a new challenge: POST /v1/machines/MACHINE/verifications',
  });
}

export function verificationExpired(at: Date): RequestError {
  return new RequestError('VERIFICATION_EXPIRED', `this challenge was open until ${at.toISOString()}`, {
    nextStep: 'check that the machine is on, then send a new challenge',
  });
}
