/** Waiting for conditions with a limit. The limit is for a person's patience, not a measurement. */
import { access } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../src/shared/errors.ts';
import type { Child } from './child.ts';

export class WaitError extends CodedError<'WAIT_TIMEOUT' | 'WAIT_PROCESS_ENDED'> {}

export interface WaitOptions {
  readonly what: string;
  readonly timeoutMs: number;
  readonly pollMs?: number;
  /** Waiting is pointless once this process has ended. */
  readonly whileRunning?: Child;
  readonly nextStep?: string;
}

/** Polls until `condition` gives something other than undefined. @throws WaitError */
export async function waitFor<T>(
  condition: () => Promise<T | undefined> | T | undefined,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  const hint = options.nextStep === undefined ? {} : { nextStep: options.nextStep };
  for (;;) {
    const ended = options.whileRunning?.isRunning() === false;
    const value = await condition(); // once more after the end: its last words count
    if (value !== undefined) return value;
    if (ended && options.whileRunning !== undefined) {
      const { exitCode, signal, stderr } = await options.whileRunning.exited;
      throw new WaitError(
        'WAIT_PROCESS_ENDED',
        `${options.what}: the process ended (${exitCode ?? signal}) ${stderr.trim()}`,
        hint,
      );
    }
    if (performance.now() > deadline) {
      throw new WaitError(
        'WAIT_TIMEOUT',
        `${options.what}: not within ${Math.round(options.timeoutMs / 1000)} s`,
        hint,
      );
    }
    await delay(options.pollMs ?? 100);
  }
}

export async function waitForPath(path: string, child: Child): Promise<void> {
  await waitFor(
    () =>
      access(path).then(
        () => true,
        () => undefined,
      ),
    {
      what: `waiting for ${path}`,
      timeoutMs: 20_000,
      pollMs: 20,
      whileRunning: child,
    },
  );
}
