/** Judges what the machine says of itself: signed by the key that the quote is bound to, for this challenge. */
import { toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { Evidence, MachineClaims } from '../evidence.ts';
import type { Request } from '../expected.ts';
import { type Failure, type Ledger, refuse } from '../ledger.ts';
import { ClaimsError, parseClaims, verifyClaimsSignature } from './claims.ts';

export function judgeClaims(
  evidence: Evidence,
  expected: Request,
  crypto: AttestCrypto,
  ledger: Ledger,
): MachineClaims | null {
  const fail = (failure: Failure): null => refuse(ledger, 'claims', failure);
  if (!verifyClaimsSignature(evidence, crypto)) {
    const sentence = "The machine's claims are not signed by the session key.";
    return fail({ code: 'CLAIMS_SIGNATURE_INVALID', family: 'false', sentence });
  }
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
  ledger.pass('claims', "The machine's claims are signed by the session key, for this challenge.");
  return claims;
}
