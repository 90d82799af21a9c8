/** QEMU Machine Protocol over a Unix socket: newline-separated JSON, one command at a time (QEMU docs/interop/qmp-spec). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { CodedError } from '../../src/shared/errors.ts';
import type { Child } from './child.ts';
import { waitFor } from './wait.ts';

export class QmpError extends CodedError<'QMP_REFUSED' | 'QMP_CLOSED'> {}

export interface Qmp {
  /** @throws QmpError QMP_REFUSED with QEMU's words; QMP_CLOSED when QEMU is gone */
  execute(command: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Connects as soon as QEMU listens. @throws WaitError with QEMU's last words when it ended instead */
export async function connectQmp(path: string, qemu: Child): Promise<Qmp> {
  const socket = await waitFor(() => tryConnect(path), {
    what: 'starting QEMU',
    timeoutMs: 20_000,
    pollMs: 20,
    whileRunning: qemu,
  });
  const waiting: Waiter[] = [];
  let rest = '';
  const closed = () => {
    for (const waiter of waiting.splice(0)) waiter.reject(new QmpError('QMP_CLOSED', 'QEMU closed its monitor'));
  };
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) answer(line, waiting);
  });
  socket.on('error', closed);
  socket.on('close', closed);
  const execute = (command: string, args?: Record<string, unknown>) =>
    new Promise<unknown>((resolve, reject) => {
      if (socket.destroyed) return reject(new QmpError('QMP_CLOSED', `${command}: QEMU is gone`));
      waiting.push({ resolve, reject });
      socket.write(`${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }) })}\n`);
    });
  await execute('qmp_capabilities').catch(async (cause: unknown) => {
    socket.destroy();
    if (!(cause instanceof QmpError) || cause.code !== 'QMP_CLOSED') throw cause;
    const { stderr } = await qemu.exited;
    throw new QmpError('QMP_CLOSED', `QEMU ended as it started: ${stderr.trim() || 'without a word'}`);
  });
  return { execute, close: () => socket.destroy() };
}

async function tryConnect(path: string): Promise<Socket | undefined> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    socket.destroy();
    return undefined; // not there yet, or not listening yet
  }
}

function answer(line: string, waiting: Waiter[]): void {
  if (line.trim() === '') return;
  const message = JSON.parse(line) as { return?: unknown; error?: { class: string; desc: string } };
  if (message.error !== undefined) waiting.shift()?.reject(new QmpError('QMP_REFUSED', message.error.desc));
  else if ('return' in message) waiting.shift()?.resolve(message.return);
}
