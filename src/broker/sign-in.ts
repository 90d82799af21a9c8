/**
 * Who is signed in on the pairing page: a random token in a cookie that only this site's own requests over TLS carry
 * (`__Host-`, HttpOnly, SameSite=Strict). Kept in memory: after a restart of the broker sellers sign in again.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { sha256Text } from './pairing.ts';

const COOKIE = '__Host-cpushare-pair';
const TOKEN = /^[0-9a-f]{64}$/;
export const SIGNED_IN_MS = 12 * 3600 * 1000;
const MAX_SIGNED_IN = 1000;

export interface SignIns {
  /** The account of the token in these cookies, or null. */
  accountOf(token: string | null, now: Date): string | null;
  begin(account: string, now: Date): string;
  end(token: string | null): void;
}

export function createSignIns(): SignIns {
  /** By SHA-256 of the token: finding one tells nothing by its time. */
  const sessions = new Map<string, { account: string; untilMs: number }>();
  return {
    accountOf(token, now) {
      const found = token === null ? undefined : sessions.get(sha256Text(token));
      return found !== undefined && now.getTime() < found.untilMs ? found.account : null;
    },
    begin(account, now) {
      const token = newToken();
      sessions.set(sha256Text(token), { account, untilMs: now.getTime() + SIGNED_IN_MS });
      const oldest = sessions.keys().next();
      if (sessions.size > MAX_SIGNED_IN && !oldest.done) sessions.delete(oldest.value);
      return token;
    },
    end(token) {
      if (token !== null) sessions.delete(sha256Text(token));
    },
  };
}

/** Also for those who have not signed in: the form to sign in must be this site's own, or somebody could sign others into his account. */
export function newToken(): string {
  return randomBytes(32).toString('hex');
}

export function tokenOf(cookies: string | undefined): string | null {
  for (const pair of (cookies ?? '').split(';')) {
    const [name = '', value = ''] = pair.trim().split('=');
    if (name === COOKIE && TOKEN.test(value)) return value;
  }
  return null;
}

export function cookieOf(token: string): string {
  return `${COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

/** In each form, and good only beside the cookie that it was made for. */
export function csrfOf(token: string): string {
  return createHmac('sha256', token).update('cpushare-live/pair-form').digest('hex');
}

export function csrfFits(token: string | null, given: string): boolean {
  if (token === null || !TOKEN.test(given)) return false;
  return timingSafeEqual(Buffer.from(csrfOf(token), 'hex'), Buffer.from(given, 'hex'));
}
