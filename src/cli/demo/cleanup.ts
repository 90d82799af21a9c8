/** What must be ended before we leave, last started first; also when the person presses Ctrl-C in the middle. */
export interface Cleanup {
  add(close: () => Promise<void>): void;
  /** Runs each closer once, latest first; one that fails does not keep the others from running. */
  run(): Promise<void>;
  /** From now on Ctrl-C is waited for, not an interruption: resolves when it comes, or when waiting is over. */
  untilInterrupted(over?: AbortSignal): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export function createCleanup(): Cleanup {
  const closers: (() => Promise<void>)[] = [];
  const run = async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close().catch(() => undefined);
  };
  const interrupted = (signal: NodeJS.Signals) => {
    void run().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  return {
    add: (close) => closers.push(close),
    run,
    untilInterrupted: (over) =>
      new Promise((resolve) => {
        const alive = setInterval(() => undefined, 60_000);
        const end = () => {
          clearInterval(alive);
          resolve();
        };
        over?.addEventListener('abort', end, { once: true });
        for (const signal of SIGNALS) {
          process.off(signal, interrupted);
          process.once(signal, end);
        }
      }),
  };
}
