/** One HTTP request over one pinned connection: bounded answer, coded failures. */
import { type IncomingMessage, request } from 'node:http';
import { BrokerConnectionError, connectPinned, type Peer } from './pinned-connection-node.ts';

export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON; none when absent. */
  readonly body?: object | undefined;
  readonly maxAnswerBytes: number;
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** @param url https://host:port @param pin SHA-256 of the certificate's SubjectPublicKeyInfo, lower-case hex */
export function peerOf(url: string, pin: string): Peer {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 443 : port), pin };
}

/** @throws BrokerConnectionError */
export async function exchangePinned(peer: Peer, exchange: Exchange): Promise<Reply> {
  const { method, path, signal } = exchange;
  const socket = await connectPinned(peer, signal);
  const bytes = exchange.body === undefined ? undefined : Buffer.from(JSON.stringify(exchange.body), 'utf8');
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => {
      socket.destroy();
      reject(
        cause instanceof BrokerConnectionError
          ? cause
          : new BrokerConnectionError('BROKER_CUT_OFF', `the broker's answer to ${path} did not arrive`, { cause }),
      );
    };
    const call = request({
      createConnection: () => socket,
      method,
      path,
      signal,
      headers: {
        host: `${peer.host.includes(':') ? `[${peer.host}]` : peer.host}:${peer.port}`,
        connection: 'close',
        accept: 'application/json',
        ...(method === 'POST' ? { 'content-length': bytes?.length ?? 0 } : {}),
        ...(bytes === undefined ? {} : { 'content-type': 'application/json' }),
      },
    });
    call.on('error', fail);
    call.on('response', (answer) =>
      readBounded(answer, exchange.maxAnswerBytes).then(
        (text) => resolve({ status: answer.statusCode ?? 0, text }),
        fail,
      ),
    );
    call.end(bytes);
  });
}

async function readBounded(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) {
      throw new BrokerConnectionError('BROKER_ANSWER_INVALID', `the broker's answer is larger than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
