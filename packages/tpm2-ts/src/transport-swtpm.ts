/**
 * The software TPM swtpm over its data channel: raw commands and responses on a Unix or TCP socket, as in
 * `swtpm socket --tpm2 --server type=unixio,path=PATH --flags not-need-init,startup-clear --tpmstate dir=DIR`.
 */
import { connect, type Socket } from 'node:net';
import type { Tpm } from './command.ts';
import { MAX_RESPONSE_BYTES, queued } from './command-queue.ts';
import { TpmTransportError } from './errors.ts';

export type SwtpmAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** @throws TpmTransportError OPEN_FAILED */
export async function openSwtpm(address: SwtpmAddress): Promise<Tpm> {
  const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
  const socket = await connected(address, where);
  const exchange = responder(socket, where);
  return queued(where, exchange, () => closed(socket));
}

function connected(address: SwtpmAddress, where: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.off('error', refuse);
      resolve(socket);
    });
    const refuse = (cause: Error) =>
      reject(
        new TpmTransportError('OPEN_FAILED', `no TPM answers at ${where}: ${cause.message}`, {
          cause,
          nextStep: 'start swtpm with --server and --flags not-need-init,startup-clear',
        }),
      );
    socket.once('error', refuse);
  });
}

/** Collects one response for each command; the second field of its header says how long it is. */
function responder(socket: Socket, where: string): (command: Uint8Array) => Promise<Uint8Array> {
  let received = Buffer.alloc(0);
  let waiting: { resolve: (response: Uint8Array) => void; reject: (error: TpmTransportError) => void } | undefined;
  let broken: TpmTransportError | undefined;
  const fail = (error: TpmTransportError) => {
    broken ??= error;
    waiting?.reject(broken);
    waiting = undefined;
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (waiting === undefined) return fail(malformed(where, `sent ${received.length} bytes without being asked`));
    if (received.length < 6) return;
    const size = received.readUInt32BE(2);
    if (size < 10 || size > MAX_RESPONSE_BYTES) return fail(malformed(where, `announces a response of ${size} bytes`));
    if (received.length > size)
      return fail(malformed(where, `sent ${received.length} bytes for a response of ${size}`));
    if (received.length < size) return;
    waiting.resolve(new Uint8Array(received));
    waiting = undefined;
    received = Buffer.alloc(0);
  });
  socket.on('error', (cause) =>
    fail(new TpmTransportError('IO_FAILED', `${where} failed: ${cause.message}`, { cause })),
  );
  socket.on('close', () => fail(new TpmTransportError('CLOSED', `${where} closed the connection`)));
  return (command) =>
    new Promise((resolve, reject) => {
      if (broken !== undefined) return reject(broken);
      waiting = { resolve, reject };
      socket.write(command);
    });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.once('close', () => resolve());
    socket.destroy();
  });
}

function malformed(where: string, reason: string): TpmTransportError {
  return new TpmTransportError('RESPONSE_MALFORMED', `${where} ${reason}`);
}
