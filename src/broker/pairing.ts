/**
 * Pairing: the rules of RFC 8628, without database or sockets. A machine shows a user code; a seller who has signed in
 * types it on the broker's page and says yes or no; the machine asks with its device code what became of it.
 *
 * How hard a code is to guess (§5.1, §6.1): 8 of 20 letters are 20^8 = 2.56 × 10^10, 34.6 bits. Only an account that has
 * signed in may try, and one address or account gets 20 tries and then one in 20 s: 65 in the 15 minutes that a code lives. With
 * all 1000 codes outstanding that a broker keeps, that hits one with 65 × 1000 / 20^8 = 2.5 × 10^-6; all addresses and
 * accounts together (200 tries, then 2 a second: 2000) with 8 × 10^-5. What a hit would give is a stranger's machine in
 * the guesser's own account: its owner sees another name on the screen than his, and can have it removed.
 */
import { createHash, randomInt } from 'node:crypto';
import { type PairingFacts, USER_CODE_LETTERS } from '../protocol/pairing-messages.ts';

export const PAIRING_LIFETIME_SECONDS = 900;
export const POLL_INTERVAL_SECONDS = 5;
/** §3.5: what slow_down adds. */
const SLOW_DOWN_SECONDS = 5;
/** A poll on its way may be a little faster than its interval. */
const POLL_TOLERANCE_MS = 500;
/** How often a code may be looked up with its right letters, by whomever; then it is void and the machine shows another. */
export const MAX_LOOKS = 20;
/** An account for a machine without a TPM is forgotten when the machine was not seen for so long. */
export const UNSEEN_MS = 24 * 3600 * 1000;
/** Outstanding codes: at once in all, and for one address. */
export interface PairingLimits {
  readonly total: number;
  readonly perRequester: number;
}
export const PAIRING_LIMITS: PairingLimits = { total: 1000, perRequester: 32 };

export type PairingState = 'waiting' | 'approved' | 'denied';

export interface Pairing {
  readonly machineId: string;
  /** Whether the machine has enrolled with a TPM, which knows it again after a restart. */
  readonly lasting: boolean;
  readonly facts: PairingFacts;
  /** As the broker sees it. */
  readonly address: string;
  readonly state: PairingState;
  readonly account: string | null;
  readonly looks: number;
  readonly intervalSeconds: number;
  readonly polledAt: Date | null;
  readonly expiresAt: Date;
}

export type PollJudgement =
  | { readonly status: 'authorization_pending' | 'access_denied' | 'expired_token' }
  | { readonly status: 'slow_down'; readonly intervalSeconds: number }
  | { readonly status: 'paired'; readonly account: string };

/** §3.5. What was decided stands also after the code's time, for as long as the row is kept. */
export function judgePoll(pairing: Pairing | null, now: Date): PollJudgement {
  if (pairing === null) return { status: 'expired_token' };
  if (pairing.state === 'approved' && pairing.account !== null) return { status: 'paired', account: pairing.account };
  if (pairing.state === 'denied') return { status: 'access_denied' };
  if (!isOpen(pairing, now)) return { status: 'expired_token' };
  const { polledAt, intervalSeconds } = pairing;
  if (polledAt !== null && now.getTime() - polledAt.getTime() < intervalSeconds * 1000 - POLL_TOLERANCE_MS) {
    return { status: 'slow_down', intervalSeconds: intervalSeconds + SLOW_DOWN_SECONDS };
  }
  return { status: 'authorization_pending' };
}

/** Whether somebody may still look at it and decide. */
export function isOpen(pairing: Pairing, now: Date): boolean {
  return pairing.state === 'waiting' && pairing.looks < MAX_LOOKS && now < pairing.expiresAt;
}

/** Uniform: `randomInt` has no modulo bias. XXXX-XXXX. */
export function newUserCode(): string {
  const letters = Array.from({ length: 8 }, () => USER_CODE_LETTERS[randomInt(USER_CODE_LETTERS.length)]);
  return `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`;
}

/** As a person types it: any case, with or without dash and spaces. Null when no code can look like this. */
export function readUserCode(typed: string): string | null {
  const letters = typed.toUpperCase().replace(/[\s\p{Pd}.]/gu, '');
  if (letters.length !== 8 || [...letters].some((letter) => !USER_CODE_LETTERS.includes(letter))) return null;
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

export function sha256Text(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** In capitals where only the host's name is in question: alphanumeric QR codes hold no small letters. */
export function verificationUris(base: string, userCode: string): { plain: string; complete: string } {
  const plain = `${base}/pair`;
  const { pathname } = new URL(plain);
  const complete = pathname === '/pair' ? `${plain}/${userCode}`.toUpperCase() : `${plain}?code=${userCode}`;
  return { plain, complete };
}
