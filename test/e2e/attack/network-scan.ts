/**
 * A stranger in the seller's network: asks every TCP port for a connection and some UDP ports for anything, with frames put on the wire between QEMU's
 * network and the machine's card (QEMU filter-redirector and filter-mirror; each frame behind its length in four bytes).
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Machine } from '../../../scripts/run/machine.ts';
import { waitFor } from '../../../scripts/run/wait.ts';
import { type Answer, MACHINE_ADDRESS, parseAnswer, pingFrame, synFrame, udpFrame } from './frames.ts';

export interface ScanResult {
  /** Ports that accepted. */
  readonly open: number[];
  /** Ports that refused: the machine was there and said no. */
  readonly refused: number;
  /** Of the UDP ports asked, those that the machine said nobody is at. */
  readonly udpRefused: readonly number[];
  /** Whether the machine answers at all (ICMP echo). */
  readonly answersPing: boolean;
}

const PORTS = 65_535;
/** Fewer than the emulated card's ring has places. */
const AT_ONCE = 64;

export async function scanAllPorts(machine: Machine, folder: string, udpPorts: readonly number[]): Promise<ScanResult> {
  const wire = await tapWire(machine, folder);
  const udpRefused = new Set<number>();
  const answers = new Map<number, Answer['kind']>();
  let answersPing = false;
  wire.onFrame((frame) => {
    const answer = parseAnswer(frame);
    if (answer?.kind === 'pong') answersPing = true;
    else if (answer?.kind === 'udp refused') udpRefused.add(answer.port);
    else if (answer !== null) answers.set(answer.port, answer.kind);
  });
  wire.send(pingFrame());
  await waitFor(() => answersPing || undefined, { what: `a ping of ${MACHINE_ADDRESS}`, timeoutMs: 60_000 });
  await waitFor(
    () => {
      const missing = udpPorts.filter((port) => !udpRefused.has(port));
      for (const port of missing) wire.send(udpFrame(port));
      return missing.length === 0 || undefined;
    },
    // Linux says so about once a second to one who asks much.
    { what: 'a refusal of each UDP port', timeoutMs: 60_000, pollMs: 1000 },
  );
  for (let first = 1; first <= PORTS; first += AT_ONCE) {
    const ports = Array.from({ length: Math.min(AT_ONCE, PORTS - first + 1) }, (_, index) => first + index);
    const missing = () => ports.filter((port) => !answers.has(port));
    for (const port of ports) wire.send(synFrame(port));
    let rounds = 0;
    await waitFor(
      () => {
        if (missing().length === 0) return true;
        rounds += 1;
        // A frame can be lost where the card's ring was full.
        if (rounds % 100 === 0) for (const port of missing()) wire.send(synFrame(port));
        return undefined;
      },
      { what: `an answer of TCP port ${first} and up`, timeoutMs: 60_000, pollMs: 5 },
    );
  }
  const open = [...answers].flatMap(([port, kind]) => (kind === 'accepted' ? [port] : []));
  const refused = [...answers.values()].filter((kind) => kind === 'refused').length;
  return { open, refused, udpRefused: [...udpRefused].sort((a, b) => a - b), answersPing };
}

interface Wire {
  send(frame: Uint8Array): void;
  onFrame(listener: (frame: Buffer) => void): void;
}

async function tapWire(machine: Machine, folder: string): Promise<Wire> {
  const { qmp } = machine;
  const into = await listen(join(folder, 'into.sock'));
  const out = await listen(join(folder, 'out.sock'));
  for (const { path, id } of [
    { path: into.path, id: 'into' },
    { path: out.path, id: 'out' },
  ]) {
    await qmp.execute('chardev-add', {
      id,
      backend: { type: 'socket', data: { addr: { type: 'unix', data: { path } }, server: false } },
    });
  }
  await qmp.execute('object-add', {
    'qom-type': 'filter-redirector',
    id: 'inject',
    netdev: 'net0',
    queue: 'tx',
    indev: 'into',
  });
  await qmp.execute('object-add', {
    'qom-type': 'filter-mirror',
    id: 'watch',
    netdev: 'net0',
    queue: 'rx',
    outdev: 'out',
  });
  const [sink, source] = [await into.connection, await out.connection];
  return {
    send: (frame) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(frame.length);
      sink.write(Buffer.concat([length, frame]));
    },
    onFrame: (listener) => readFrames(source, listener),
  };
}

function readFrames(source: Socket, listener: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  source.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      listener(rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  });
}

async function listen(path: string): Promise<{ readonly path: string; readonly connection: Promise<Socket> }> {
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const connection = once(server, 'connection').then(([socket]) => {
    server.close();
    return socket as Socket;
  });
  return { path, connection };
}
