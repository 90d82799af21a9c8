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
  const closeAll = async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close().catch(() => undefined);
  };
  let last = Promise.resolve();
  const closed = () => {
    last = last.then(closeAll); // behind what is being closed already
    return last;
  };
  const leave = (signal: NodeJS.Signals) => process.exit(signal === 'SIGINT' ? 130 : 143);
  let onSignal: (signal: NodeJS.Signals) => void = (signal) => {
    closed().then(() => leave(signal));
  };
  const interrupted = (signal: NodeJS.Signals) => {
    onSignal(signal);
    onSignal = leave; // whoever presses it again will not wait
  };
  // Not once: execa ends the process by itself, before anything is closed, where it sees nobody else listen.
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return {
    add: (close) => closers.push(close),
    run: async () => {
      await closed();
      for (const signal of SIGNALS) process.off(signal, interrupted); // it would end what somebody else has to close
    },
    untilInterrupted: (over) =>
      new Promise((resolve) => {
        const alive = setInterval(() => undefined, 60_000);
        const end = () => {
          clearInterval(alive);
          resolve();
        };
        over?.addEventListener('abort', end, { once: true });
        onSignal = end;
      }),
  };
}
