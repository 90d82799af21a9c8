/** Judges what the machine says of itself, which the quote was made over: readable, and for this challenge. */
import { toHex } from '../../shared/bytes.ts';
import type { Evidence, MachineClaims } from '../evidence.ts';
import type { Request } from '../expected.ts';
import { type Failure, type Ledger, refuse } from '../ledger.ts';
import { ClaimsError, parseClaims } from './claims.ts';

export function judgeClaims(evidence: Evidence, expected: Request, ledger: Ledger): MachineClaims | null {
  const fail = (failure: Failure): null => refuse(ledger, 'claims', failure);
  let claims: MachineClaims;
  try {
    claims = parseClaims(evidence.claims);
  } catch (error) {
    if (!(error instanceof ClaimsError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    return fail({ code: 'CLAIMS_MALFORMED', family: 'malformed', sentence: `The claims cannot be read: ${reason}.` });
  }
  if (claims.challenge !== toHex(expected.challenge)) {
    const sentence = 'The claims were made for another challenge than the quote.';
    return fail({ code: 'CLAIMS_CHALLENGE_MISMATCH', family: 'false', sentence });
  }
  ledger.pass('claims', "The machine's claims are the ones that the quote was made over.");
  return claims;
}
