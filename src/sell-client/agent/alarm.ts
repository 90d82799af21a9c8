/** A wait that can be cut short: by time, by a ring, or by the end of the program. A ring while nobody waits is kept. */
export interface Alarm {
  ring(): void;
  /** Forgets a ring that nobody waited for: what follows answers it anyway. */
  clear(): void;
  /** Resolves after `ms`, at the next ring, or when `signal` aborts; at once if it rang since the last wait. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** setTimeout takes no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createAlarm(): Alarm {
  let rang = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rang = true;
      wake?.();
    },
    clear: () => {
      rang = false;
    },
    wait: async (ms, signal) => {
      if (!rang && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', done);
            resolve();
          };
          const timer = setTimeout(done, Math.min(Math.max(0, ms), MAX_TIMER_MS));
          signal.addEventListener('abort', done, { once: true });
          wake = done;
        });
      }
      wake = undefined;
      rang = false;
    },
  };
}
