/**
 * A TLS 1.3 connection to the one broker whose key the seller pinned. The machine's clock may be wrong and the broker's
 * certificate is self-signed, so names, dates and chains decide nothing: only SHA-256 of the SubjectPublicKeyInfo does,
 * and it is compared before a byte of the request leaves.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { toHex } from './bytes.ts';
import { CodedError } from './errors.ts';

export class BrokerConnectionError extends CodedError<
  'BROKER_UNREACHABLE' | 'BROKER_PIN_MISMATCH' | 'BROKER_NAME_UNKNOWN' | 'BROKER_CUT_OFF' | 'BROKER_ANSWER_INVALID'
> {}

export interface Peer {
  readonly host: string;
  readonly port: number;
  /** Lower-case hex. */
  readonly pin: string;
}

/** @throws BrokerConnectionError */
export async function connectPinned(peer: Peer, signal: AbortSignal): Promise<TLSSocket> {
  const socket = connect({
    host: peer.host,
    port: peer.port,
    ...(isIP(peer.host) === 0 ? { servername: peer.host } : {}),
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    // Judged below by the pin, which is stricter than any chain.
    rejectUnauthorized: false,
  });
  await secured(socket, peer, signal);
  const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
  const seen = spki === undefined ? 'no certificate' : toHex(createHash('sha256').update(spki).digest());
  if (seen !== peer.pin) {
    socket.destroy();
    throw new BrokerConnectionError(
      'BROKER_PIN_MISMATCH',
      `${peer.host}:${peer.port} has the key ${seen.slice(0, 16)}…, but the configuration pins ${peer.pin.slice(0, 16)}…`,
      { nextStep: 'copy brokerPin again from the broker; if it is right, this is not your broker: tell its operator' },
    );
  }
  return socket;
}

function secured(socket: TLSSocket, peer: Peer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', settle);
      if (error === undefined) return resolve();
      // A late error of a socket given up must not end the program.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(unreachable(peer, error));
    };
    const onAbort = () => settle(new Error('no answer in time'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('secureConnect', () => settle());
    socket.on('error', settle);
  });
}

function unreachable(peer: Peer, cause: Error): BrokerConnectionError {
  const reason = (cause as NodeJS.ErrnoException).code;
  if (reason === 'ENOTFOUND' || reason === 'EAI_AGAIN') {
    return new BrokerConnectionError('BROKER_NAME_UNKNOWN', `the name ${peer.host} cannot be looked up`, {
      cause,
      nextStep: 'check the broker address in cpushare.json and that this network has working DNS',
    });
  }
  return new BrokerConnectionError(
    'BROKER_UNREACHABLE',
    `${peer.host}:${peer.port} does not answer (${describe(cause)})`,
    {
      cause,
      nextStep: `nothing to do if the broker is down; else allow outgoing TCP port ${peer.port} in your firewall`,
    },
  );
}

function describe(cause: Error): string {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH') return 'no route';
  if (code === 'ETIMEDOUT') return 'no answer in time';
  return code ?? cause.message;
}
