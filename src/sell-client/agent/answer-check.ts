/** One check that a buyer asked for through the broker: its challenge quoted in a role of its own, its credential answered. */
import { activationAnswer, isAnswerable } from '../../attest/quote/activation-answer.ts';
import { encodeEvidence } from '../../protocol/evidence-document.ts';
import type { PendingVerification, VerificationAnswer } from '../../protocol/relay-messages.ts';
import { fromBase64, fromHex, toHex } from '../../shared/bytes.ts';
import type { MachineTpm } from '../tpm/machine-tpm.ts';
import { gatherEvidence, sha256 } from './evidence.ts';
import type { Session } from './session.ts';

/** Without the signature of the request. */
export type CheckAnswer = Omit<VerificationAnswer, 'signature'>;

/** @throws what the TPM throws when it is broken; a TPM that says no to a credential is an answer. */
export async function answerCheck(session: Session, tpm: MachineTpm, check: PendingVerification): Promise<CheckAnswer> {
  const secret = check.credential === undefined ? null : await open(tpm, check.credential);
  if (secret === 'refused') return { failure: 'CREDENTIAL_REFUSED' };
  const evidence = await gatherEvidence(session, tpm, { ...check, role: 'seller-to-buyer' });
  const document = encodeEvidence(evidence);
  if (secret === null) return { evidence: document };
  const answered = { ...evidence, challenge: fromHex(check.challenge) };
  return { evidence: document, answer: toHex(activationAnswer(secret, answered, sha256)) };
}

/** One word for every reason: whoever sends garbage shall not learn what the TPM thought of it. */
async function open(
  tpm: MachineTpm,
  credential: NonNullable<PendingVerification['credential']>,
): Promise<Uint8Array | 'refused'> {
  try {
    const blob = fromBase64(credential.credentialBlob);
    const secret = await tpm.activate(blob, fromBase64(credential.encryptedSecret));
    // The broker's own secrets, which open enrolments, are not for buyers.
    return isAnswerable(secret) ? secret : 'refused';
  } catch (error) {
    if (isBroken(error)) throw error;
    return 'refused';
  }
}

/** The line to the TPM is gone; everything else is the TPM's word on what it was given. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && error.name === 'TpmTransportError';
}
