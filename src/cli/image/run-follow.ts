/** Stays with a running machine: until it ends by itself, its accelerator breaks, or the person at the terminal stops it. */
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildError } from '../../../scripts/run/child.ts';
import { type Machine, MachineError } from '../../../scripts/run/machine.ts';
import type { Screen } from './run-display.ts';

const LOOK_MS = 250;
const CTRL_C = 3;

/**
 * @param untilInterrupted resolves at Ctrl-C, or when its signal says that waiting is over
 * @throws ChildError when QEMU failed, MachineError when the accelerator did
 */
export async function followMachine(
  machine: Machine,
  screen: Screen,
  untilInterrupted: (over: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const stop = () => over.abort();
  void untilInterrupted(over.signal).then(stop);
  // QEMU's curses make Ctrl-C an ordinary key of the terminal, so it is read as one.
  const typed = (keys: Buffer) => keys.includes(CTRL_C) && stop();
  if (screen === 'curses') process.stdin.on('data', typed);
  const forward = screen === 'serial' ? await serialForwarder(machine.serialLog) : () => undefined;
  try {
    while (machine.process.isRunning() && !over.signal.aborted) {
      await forward();
      await refuseBrokenAccelerator(machine);
      await delay(LOOK_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
    await forward();
    if (over.signal.aborted) return;
    const { exitCode, stderr } = await machine.process.exited;
    if (exitCode !== 0) throw new ChildError('PROGRAM_FAILED', `QEMU ended with ${exitCode}: ${stderr.trim()}`);
    console.log('\nThe machine has switched itself off or restarted.');
  } finally {
    stop();
    process.stdin.off('data', typed);
    process.stdin.pause();
  }
}

async function refuseBrokenAccelerator(machine: Machine): Promise<void> {
  await machine.refuseBrokenAccelerator().catch((error: unknown) => {
    if (!(error instanceof MachineError)) throw error;
    throw new MachineError(error.code, error.message, { nextStep: 'run it again with --accelerator tcg' });
  });
}

/** Prints what the machine has said since the last call. */
async function serialForwarder(path: string): Promise<() => Promise<void>> {
  const file = await open(path, 'r');
  const buffer = Buffer.alloc(64 * 1024);
  return async () => {
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return;
      process.stdout.write(Buffer.from(buffer.subarray(0, bytesRead)));
    }
  };
}
