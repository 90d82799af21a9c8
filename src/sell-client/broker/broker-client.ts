/** The sell client's side of the broker's HTTP interface: one pinned connection per call, every answer schema-checked. */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import {
  ActivationAnswer,
  type ActivationRequest,
  Challenge,
  type ChallengeRequest,
  EnrolmentChallenge,
  type EnrolmentRequest,
  ErrorAnswer,
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
import { CodedError } from '../../shared/errors.ts';
import { exchangePinned, peerOf, type Reply } from '../../shared/pinned-exchange-node.ts';

/** `BROKER_REFUSED` carries the broker's own code and HTTP status. */
export class BrokerAnswerError extends CodedError<'BROKER_ANSWER_INVALID' | 'BROKER_REFUSED'> {
  readonly status: number;
  readonly brokerCode: string | undefined;

  constructor(
    code: BrokerAnswerError['code'],
    message: string,
    options: { cause?: unknown; nextStep?: string; status?: number; brokerCode?: string } = {},
  ) {
    super(code, message, options);
    this.status = options.status ?? 0;
    this.brokerCode = options.brokerCode;
  }
}

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

function checked<Schema extends TSchema>(schema: Schema, reply: Reply): Static<Schema> {
  const value = parsed(reply);
  if (Value.Check(schema, value)) return value as Static<Schema>;
  const first = Value.Errors(schema, value)[0];
  throw new BrokerAnswerError(
    'BROKER_ANSWER_INVALID',
    `the broker's answer is not of the agreed form: ${first?.instancePath || 'the whole'} ${first?.message ?? ''}`,
    { status: reply.status, nextStep: 'use an image and a broker of the same release' },
  );
}

function refusal(reply: Reply): BrokerAnswerError {
  const value = parsed(reply);
  if (!Value.Check(ErrorAnswer, value)) {
    return new BrokerAnswerError(
      'BROKER_ANSWER_INVALID',
      `the broker answered with status ${reply.status} and no code`,
      {
        status: reply.status,
      },
    );
  }
  return new BrokerAnswerError('BROKER_REFUSED', `${value.message} (${value.code})`, {
    status: reply.status,
    brokerCode: value.code,
    ...(value.nextStep === undefined ? {} : { nextStep: value.nextStep }),
  });
}

function parsed(reply: Reply): unknown {
  try {
    return JSON.parse(reply.text);
  } catch (cause) {
    throw new BrokerAnswerError('BROKER_ANSWER_INVALID', `the broker's answer (status ${reply.status}) is not JSON`, {
      status: reply.status,
      cause,
    });
  }
}
