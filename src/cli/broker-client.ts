/** Reads from a broker whose certificate pin is known. Nothing is sent before the pin has matched. */
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { MAX_BODY_BYTES, MachineList, ReportDocument } from '../protocol/messages.ts';
import { CodedError } from '../shared/errors.ts';
import { exchangePinned, peerOf } from '../shared/pinned-exchange-node.ts';

export class BrokerClientError extends CodedError<'BROKER_ANSWER_INVALID'> {}

const TIMEOUT_MS = 10_000;

export interface BrokerAddress {
  readonly url: string;
  /** SHA-256 of the certificate's SubjectPublicKeyInfo, hex. */
  readonly brokerId: string;
}

export interface BrokerClient {
  machines(): Promise<MachineList>;
  report(machineId: string): Promise<ReportDocument>;
}

export function createBrokerClient(broker: BrokerAddress): BrokerClient {
  return {
    machines: () => get(broker, '/v1/machines', MachineList),
    report: (machineId) => get(broker, `/v1/machines/${machineId}/report`, ReportDocument),
  };
}

async function get<Schema extends TSchema>(
  broker: BrokerAddress,
  path: string,
  schema: Schema,
): Promise<Static<Schema>> {
  const { status, text } = await exchangePinned(peerOf(broker.url, broker.brokerId), {
    method: 'GET',
    path,
    maxAnswerBytes: 2 * MAX_BODY_BYTES,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer = status === 200 ? parse(text) : undefined;
  if (!Value.Check(schema, answer)) {
    throw new BrokerClientError(
      'BROKER_ANSWER_INVALID',
      `${broker.url}${path} answered ${status}: ${text.slice(0, 200)}`,
      { nextStep: 'use a broker of the same release' },
    );
  }
  return answer as Static<Schema>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
