/** The two conversations with a broker: enrolment (once per machine and broker) and one attestation. */
import { createHash } from 'node:crypto';
import { encodeClaims } from '../../attest/claims.ts';
import type { Evidence, MachineClaims } from '../../attest/evidence.ts';
import { qualifyingData } from '../../attest/qualifying-data.ts';
import { encodeEvidence } from '../../protocol/evidence-document.ts';
import type { EvidenceAnswer } from '../../protocol/messages.ts';
import { fromBase64, fromHex, toBase64 } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { BrokerClient } from '../broker/broker-client.ts';
import type { MachineTpm } from '../tpm/machine-tpm.ts';
import type { SessionKey } from './session-key.ts';

export class AttestError extends CodedError<'BROKER_OTHER_IDENTITY'> {}

export interface Session {
  readonly broker: BrokerClient;
  /** The pin: who we believe to talk to. Hex. */
  readonly brokerId: string;
  readonly key: SessionKey;
  /** As measured; empty when there was none. */
  readonly configuration: Uint8Array;
  readLogs(): Promise<{ readonly eventLog: Uint8Array; readonly imaLog: Uint8Array }>;
  readClaims(challenge: string): Promise<MachineClaims>;
}

/** Shows the broker that this AK lives in the TPM of this EK; returns the machine's id there. */
export async function enrol(session: Session, tpm: MachineTpm): Promise<string> {
  const challenge = await session.broker.enrol({
    ekPublic: toBase64(tpm.ekPublic),
    ekCertificates: tpm.ekCertificates.map(toBase64),
    akPublic: toBase64(tpm.akPublic),
  });
  const secret = await tpm.activate(fromBase64(challenge.credentialBlob), fromBase64(challenge.encryptedSecret));
  const { machineId } = await session.broker.activate(challenge.enrolmentId, { secret: toBase64(secret) });
  return machineId;
}

/** One challenge, one quote, one answer. */
export async function attest(session: Session, tpm: MachineTpm, machineId: string): Promise<EvidenceAnswer> {
  const asked = await session.broker.challenge(machineId);
  if (asked.brokerId !== session.brokerId) {
    throw new AttestError('BROKER_OTHER_IDENTITY', `the broker calls itself ${asked.brokerId.slice(0, 16)}…`, {
      nextStep: 'copy brokerPin again from the broker',
    });
  }
  const binding = {
    challenge: fromHex(asked.challenge),
    sessionPublicKey: session.key.publicKey,
    role: 'seller',
    // Our pin and not what the answer says: a quote speaks to the broker that the seller chose.
    brokerId: fromHex(session.brokerId),
  } as const;
  const pcrs = [...new Set(asked.pcrSelection.pcrs)].sort((a, b) => a - b);
  const quoted = await tpm.quote(pcrs, qualifyingData(binding, { hash: sha256 }));
  const claims = encodeClaims(await session.readClaims(asked.challenge));
  const evidence: Evidence = {
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
    claimsSignature: session.key.signClaims(claims),
  };
  return session.broker.submitEvidence(machineId, {
    challengeId: asked.challengeId,
    evidence: encodeEvidence(evidence),
  });
}

function sha256(_name: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
