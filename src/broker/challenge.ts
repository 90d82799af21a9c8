/**
 * Challenges: a random number that one quote must contain, good for one machine, once, for a short time.
 * open → used (taken by a submission) or voided (a newer challenge of the machine). Nothing leads back to open.
 */
import { RequestError } from './errors.ts';

export const CHALLENGE_LIFETIME_MS = 120_000;
export const CHALLENGE_BYTES = 32;
/** Spent challenges kept per machine, so that a replay is told from an invention. */
export const REMEMBERED_CHALLENGES = 16;

export interface IssuedChallenge {
  readonly challengeId: string;
  readonly machineId: string;
  /** hex */
  readonly challenge: string;
  readonly state: 'open' | 'used' | 'voided';
  readonly expiresAt: Date;
}

/** Null when a submission may take this challenge now; otherwise why not. */
export function refusalOf(issued: IssuedChallenge | null, machineId: string, now: Date): RequestError | null {
  // A challenge of another machine is none of this one's business: it looks like one that never was.
  if (issued === null || issued.machineId !== machineId) {
    return refuse('CHALLENGE_UNKNOWN', 'this broker gave the machine no such challenge');
  }
  if (issued.state === 'used') return refuse('CHALLENGE_USED', 'evidence was already judged for this challenge');
  if (issued.state === 'voided') return refuse('CHALLENGE_VOIDED', 'the machine has asked for a newer challenge since');
  if (now >= issued.expiresAt) {
    return refuse('CHALLENGE_EXPIRED', `the challenge expired at ${issued.expiresAt.toISOString()}`);
  }
  return null;
}

function refuse(code: 'CHALLENGE_UNKNOWN' | 'CHALLENGE_USED' | 'CHALLENGE_VOIDED' | 'CHALLENGE_EXPIRED', text: string) {
  return new RequestError(code, text, { nextStep: 'ask for a new challenge and quote again' });
}
