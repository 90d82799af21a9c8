/** One quote with all that belongs to it: the evidence for one challenge. */
import { createHash } from 'node:crypto';
import type { Evidence } from '../../attest/evidence.ts';
import { encodeClaims } from '../../attest/quote/claims.ts';
import { type QuoteRole, qualifyingData } from '../../attest/quote/qualifying-data.ts';
import type { Challenge } from '../../protocol/messages.ts';
import { fromHex } from '../../shared/bytes.ts';
import type { MachineTpm } from '../tpm/machine-tpm.ts';
import type { Session } from './session.ts';

export type Asked = Pick<Challenge, 'challenge' | 'pcrSelection'> & { readonly role: QuoteRole };

export async function gatherEvidence(session: Session, tpm: MachineTpm, asked: Asked): Promise<Evidence> {
  const claims = encodeClaims(await session.readClaims(asked.challenge));
  const binding = {
    challenge: fromHex(asked.challenge),
    sessionPublicKey: session.key.publicKey,
    // Ours, not theirs: whoever asks through the broker gets an answer that is none for the broker, and the other way round.
    role: asked.role,
    // Our pin and not what the answer says: a quote speaks to the broker that the seller chose.
    brokerId: fromHex(session.brokerId),
    claims,
  };
  const pcrs = [...new Set(asked.pcrSelection.pcrs)].sort((a, b) => a - b);
  const quoted = await tpm.quote(pcrs, qualifyingData(binding, sha256));
  return {
    quote: quoted.quote,
    signature: quoted.signature,
    pcrs: { [asked.pcrSelection.bank]: quoted.values },
    // After the quote, so that the log may run ahead of it and never behind.
    ...(await session.readLogs()),
    configuration: session.configuration,
    akPublic: tpm.akPublic,
    ekPublic: tpm.ekPublic,
    ekCertificates: tpm.ekCertificates,
    sessionPublicKey: session.key.publicKey,
    claims,
  };
}

/** The one hash that is needed here, as src/attest takes it. */
export const sha256 = {
  hash: (_name: string, bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};
