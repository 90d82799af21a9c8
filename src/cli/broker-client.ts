/** Speaks to a broker whose certificate pin is known. Nothing is sent before the pin has matched. */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { ErrorAnswer, MAX_BODY_BYTES, MachineList, ReportDocument } from '../protocol/messages.ts';
import {
  MachineKeys,
  Verification,
  VerificationReceipt,
  type VerificationRequest,
} from '../protocol/relay-messages.ts';
import { CodedError } from '../shared/errors.ts';
import { exchangePinned, peerOf } from '../shared/pinned-exchange-node.ts';

/** `BROKER_REFUSED` carries the broker's own code. */
export class BrokerClientError extends CodedError<'BROKER_ANSWER_INVALID' | 'BROKER_REFUSED'> {
  readonly brokerCode: string | undefined;

  constructor(
    code: BrokerClientError['code'],
    message: string,
    options: { cause?: unknown; nextStep?: string; brokerCode?: string } = {},
  ) {
    super(code, message, options);
    this.brokerCode = options.brokerCode;
  }
}

const TIMEOUT_MS = 10_000;
/** Of 500 machines each: more than a broker takes. */
const MAX_PAGES = 100;

export interface BrokerAddress {
  readonly url: string;
  /** SHA-256 of the certificate's SubjectPublicKeyInfo, hex. */
  readonly brokerId: string;
}

export interface BrokerClient {
  /** All pages. */
  machines(): Promise<Pick<MachineList, 'machines'>>;
  report(machineId: string): Promise<ReportDocument>;
  keys(machineId: string): Promise<MachineKeys>;
  verify(machineId: string, body: VerificationRequest): Promise<VerificationReceipt>;
  verification(verificationId: string): Promise<Verification>;
}

export function createBrokerClient(broker: BrokerAddress): BrokerClient {
  const get = <Schema extends TSchema>(path: string, schema: Schema) => call(broker, schema, { method: 'GET', path });
  return {
    machines: async () => {
      const machines: MachineList['machines'] = [];
      let next: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const list: MachineList = await get(`/v1/machines${next === undefined ? '' : `?after=${next}`}`, MachineList);
        machines.push(...list.machines);
        next = list.next;
        if (next === undefined) break;
      }
      return { machines };
    },
    report: (machineId) => get(`/v1/machines/${machineId}/report`, ReportDocument),
    keys: (machineId) => get(`/v1/machines/${machineId}/keys`, MachineKeys),
    verify: (machineId, body) =>
      call(broker, VerificationReceipt, { method: 'POST', path: `/v1/machines/${machineId}/verifications`, body }),
    verification: (verificationId) => get(`/v1/verifications/${verificationId}`, Verification),
  };
}

async function call<Schema extends TSchema>(
  broker: BrokerAddress,
  schema: Schema,
  request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: object },
): Promise<Static<Schema>> {
  const { status, text } = await exchangePinned(peerOf(broker.url, broker.brokerId), {
    ...request,
    maxAnswerBytes: 2 * MAX_BODY_BYTES,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer = parse(text);
  const done = status >= 200 && status < 300;
  if (done && Value.Check(schema, answer)) return answer as Static<Schema>;
  if (!done && Value.Check(ErrorAnswer, answer)) {
    const { code, message, nextStep } = answer as ErrorAnswer;
    throw new BrokerClientError('BROKER_REFUSED', `the broker says: ${message} (${code})`, {
      brokerCode: code,
      ...(nextStep === undefined ? {} : { nextStep }),
    });
  }
  throw new BrokerClientError(
    'BROKER_ANSWER_INVALID',
    `${broker.url}${request.path} answered ${status}: ${text.slice(0, 200)}`,
    { nextStep: 'use a broker of the same release' },
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
