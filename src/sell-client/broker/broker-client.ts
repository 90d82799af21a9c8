/** The sell client's side of the broker's HTTP interface: one pinned connection per call, every answer schema-checked. */
import {
  ActivationAnswer,
  type ActivationRequest,
  Challenge,
  type ChallengeRequest,
  EnrolmentChallenge,
  type EnrolmentRequest,
  EvidenceAnswer,
  type EvidenceSubmission,
  type SellerConfiguration,
  type UnattestedNotice,
} from '../../protocol/messages.ts';
import {
  PairingAnswer,
  type PairingPoll,
  type PairingRequest,
  PairingStatus,
} from '../../protocol/pairing-messages.ts';
import { PendingAnswer, type PendingRequest, type VerificationAnswer } from '../../protocol/relay-messages.ts';
import { exchangePinned, peerOf, type Reply } from '../../shared/pinned-exchange-node.ts';
import { checked, refusal } from './broker-answers.ts';

export interface BrokerClient {
  enrol(body: EnrolmentRequest): Promise<EnrolmentChallenge>;
  activate(enrolmentId: string, body: ActivationRequest): Promise<ActivationAnswer>;
  challenge(machineId: string, body: ChallengeRequest): Promise<Challenge>;
  submitEvidence(machineId: string, body: EvidenceSubmission): Promise<EvidenceAnswer>;
  reportUnattested(body: UnattestedNotice): Promise<void>;
  /** Kept waiting by the broker for up to `waitMs`. */
  pending(machineId: string, body: PendingRequest): Promise<PendingAnswer>;
  answerVerification(machineId: string, verificationId: string, body: VerificationAnswer): Promise<void>;
  requestPairing(body: PairingRequest): Promise<PairingAnswer>;
  pairingStatus(body: PairingPoll): Promise<PairingStatus>;
}

const MAX_ANSWER_BYTES = 256 * 1024;
const CALL_TIMEOUT_MS = 60_000;

/** `give up` aborts a call in flight, for instance when the program ends. */
export function brokerClient(configuration: SellerConfiguration, giveUp: AbortSignal): BrokerClient {
  const peer = peerOf(configuration.broker, configuration.brokerPin);
  const post = async (path: string, body: object): Promise<Reply> => {
    const signal = AbortSignal.any([giveUp, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    const reply = await exchangePinned(peer, { method: 'POST', path, body, maxAnswerBytes: MAX_ANSWER_BYTES, signal });
    if (reply.status >= 200 && reply.status < 300) return reply;
    throw refusal(reply);
  };
  return {
    enrol: async (body) => checked(EnrolmentChallenge, await post('/v1/enrolments', body)),
    activate: async (id, body) => checked(ActivationAnswer, await post(`/v1/enrolments/${id}/activation`, body)),
    challenge: async (machineId, body) => checked(Challenge, await post(`/v1/machines/${machineId}/challenges`, body)),
    submitEvidence: async (machineId, body) =>
      checked(EvidenceAnswer, await post(`/v1/machines/${machineId}/evidence`, body)),
    reportUnattested: async (body) => void (await post('/v1/unattested', body)),
    pending: async (machineId, body) => checked(PendingAnswer, await post(`/v1/machines/${machineId}/pending`, body)),
    answerVerification: async (machineId, verificationId, body) =>
      void (await post(`/v1/machines/${machineId}/verifications/${verificationId}/evidence`, body)),
    requestPairing: async (body) => checked(PairingAnswer, await post('/v1/pairings', body)),
    pairingStatus: async (body) => checked(PairingStatus, await post('/v1/pairings/token', body)),
  };
}
