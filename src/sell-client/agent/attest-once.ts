/** The two conversations with a broker: enrolment (once per machine and broker) and one attestation. */

import { isAnswerable } from '../../attest/quote/activation-answer.ts';
import { encodeEvidence } from '../../protocol/evidence-document.ts';
import type { MachineRequest } from '../../protocol/machine-request.ts';
import type { EvidenceAnswer } from '../../protocol/messages.ts';
import { fromBase64, toBase64 } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { MachineTpm } from '../tpm/machine-tpm.ts';
import { gatherEvidence } from './evidence.ts';
import type { Session } from './session.ts';

export class AttestError extends CodedError<'BROKER_OTHER_IDENTITY' | 'ENROLMENT_SECRET_FOREIGN'> {}

/** Shows the broker that this AK lives in the TPM of this EK, and names the key of this session; returns the machine's id there. */
export async function enrol(session: Session, tpm: MachineTpm): Promise<string> {
  const challenge = await session.broker.enrol({
    ekPublic: toBase64(tpm.ekPublic),
    ekCertificates: tpm.ekCertificates.map(toBase64),
    akPublic: toBase64(tpm.akPublic),
  });
  const secret = await tpm.activate(fromBase64(challenge.credentialBlob), fromBase64(challenge.encryptedSecret));
  // A verifier's secret is answered with an HMAC and never shown: not to a broker who passes it off as its own either.
  if (isAnswerable(secret)) {
    throw new AttestError('ENROLMENT_SECRET_FOREIGN', "the broker asked for the secret of somebody else's check", {
      nextStep: 'do not use this broker; report it',
    });
  }
  const sessionPublicKey = toBase64(session.key.publicKey);
  const { machineId } = await session.broker.activate(challenge.enrolmentId, {
    secret: toBase64(secret),
    sessionPublicKey,
  });
  return machineId;
}

/** One challenge, one quote, one answer. */
export async function attest(session: Session, tpm: MachineTpm, machineId: string): Promise<EvidenceAnswer> {
  const signature = signRequest(session, { machineId, purpose: 'challenge', subject: '' });
  const asked = await session.broker.challenge(machineId, { signature });
  if (asked.brokerId !== session.brokerId) {
    throw new AttestError('BROKER_OTHER_IDENTITY', `the broker calls itself ${asked.brokerId.slice(0, 16)}…`, {
      nextStep: 'copy brokerPin again from the broker',
    });
  }
  const evidence = await gatherEvidence(session, tpm, { ...asked, role: 'seller' });
  return session.broker.submitEvidence(machineId, {
    challengeId: asked.challengeId,
    evidence: encodeEvidence(evidence),
  });
}

/** Base64. */
export function signRequest(session: Session, request: Omit<MachineRequest, 'brokerId'>): string {
  return toBase64(session.key.signRequest({ ...request, brokerId: session.brokerId }));
}
