/** Whether the machine was restarted between two reports, by the counters in their quotes: read, not proven. */
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode } from 'tpm2-ts/codec';
import { RH } from 'tpm2-ts/constants';
import { TpmCodecError, TpmKeyError } from 'tpm2-ts/errors';
import { primaryQualifiedName } from 'tpm2-ts/name';
import { equalBytes } from '../../shared/bytes.ts';
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import type { Evidence } from '../evidence.ts';
import { describeBetween, type QuoteClock, quoteClockOf } from '../quote/quote-clock.ts';

type Quoted = Pick<Evidence, 'quote' | 'ekPublic' | 'akPublic'>;

/** A sentence, or null where the two are of different TPMs or cannot be read. */
export function restartsBetween(earlier: Quoted, later: Quoted, crypto: Pick<AttestCrypto, 'hash'>): string | null {
  if (!equalBytes(earlier.ekPublic, later.ekPublic)) return null;
  const [before, after] = [readClock(earlier, crypto), readClock(later, crypto)];
  return before === null || after === null ? null : describeBetween(before, after);
}

function readClock({ quote, akPublic }: Quoted, crypto: Pick<AttestCrypto, 'hash'>): QuoteClock | null {
  const digest = (algorithm: string, data: Uint8Array): Uint8Array => crypto.hash(algorithm as HashName, data);
  try {
    const attest = decode(tpmsAttest, quote, 'quote');
    const ownersKey = primaryQualifiedName(akPublic, digest, RH.owner);
    return quoteClockOf(attest, equalBytes(attest.qualifiedSigner, ownersKey));
  } catch (error) {
    if (error instanceof TpmCodecError || error instanceof TpmKeyError) return null;
    throw error;
  }
}
