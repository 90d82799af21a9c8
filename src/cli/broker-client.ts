/** Reads from a broker whose certificate pin is known. Nothing is sent before the pin has matched. */
import { createHash } from 'node:crypto';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { MAX_BODY_BYTES, MachineList, ReportDocument } from '../protocol/messages.ts';
import { CodedError } from '../shared/errors.ts';

export class BrokerClientError extends CodedError<
  'BROKER_UNREACHABLE' | 'BROKER_PIN_MISMATCH' | 'BROKER_ANSWER_INVALID'
> {}

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
  const { status, body } = await fetchPinned(broker, path);
  const answer: unknown = JSON.parse(body);
  if (status !== 200 || !Value.Check(schema, answer)) {
    throw new BrokerClientError(
      'BROKER_ANSWER_INVALID',
      `${broker.url}${path} answered ${status}: ${body.slice(0, 200)}`,
    );
  }
  return answer as Static<Schema>;
}

function fetchPinned(broker: BrokerAddress, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const unreachable = (cause: Error) =>
      reject(
        cause instanceof BrokerClientError
          ? cause
          : new BrokerClientError('BROKER_UNREACHABLE', `no answer from ${broker.url}`, { cause }),
      );
    const outgoing = request(new URL(path, broker.url), {
      agent: false,
      rejectUnauthorized: false, // the pin below decides, not a CA
      timeout: 10_000,
    });
    outgoing.on('socket', (socket) => {
      socket.once('secureConnect', () => {
        const pin = pinOf(socket as TLSSocket);
        if (pin === broker.brokerId) return outgoing.end();
        outgoing.destroy(
          new BrokerClientError('BROKER_PIN_MISMATCH', `${broker.url} shows key ${pin}, expected ${broker.brokerId}`),
        );
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('error', unreachable);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > 2 * MAX_BODY_BYTES) outgoing.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      incoming.on('error', unreachable);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
  });
}

function pinOf(socket: TLSSocket): string {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'none';
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
