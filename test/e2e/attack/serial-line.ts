/** Somebody at the machine's serial line: bytes and breaks, while what the machine says still goes to its log. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Machine } from '../../../scripts/run/machine.ts';
import { waitFor } from '../../../scripts/run/wait.ts';

export interface SerialLine {
  send(bytes: string): void;
  /** A break, which Linux takes as the first half of SysRq on a serial console. */
  sendBreak(): void;
}

/** Telnet (RFC 854): the protocol in which QEMU's serial port can be told of a break. */
const [IAC, BREAK] = [255, 243];

export async function openSerialLine(machine: Machine, folder: string): Promise<SerialLine> {
  const path = join(folder, 'serial.sock');
  await machine.qmp.execute('chardev-change', {
    id: 'serial0',
    backend: {
      type: 'socket',
      data: {
        addr: { type: 'unix', data: { path } },
        server: true,
        wait: false,
        telnet: true,
        logfile: machine.serialLog,
        logappend: true,
      },
    },
  });
  const socket = await waitFor(() => tryConnect(path), { what: 'the serial line', timeoutMs: 10_000 });
  // Read and forgotten: a line that nobody reads would hold the machine up.
  socket.resume();
  socket.on('error', () => undefined);
  return {
    send: (bytes) => socket.write(bytes, 'latin1'),
    sendBreak: () => socket.write(Uint8Array.of(IAC, BREAK)),
  };
}

async function tryConnect(path: string): Promise<Socket | undefined> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    socket.destroy();
    return undefined;
  }
}
