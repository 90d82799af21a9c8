/** What must be ended before we leave, last started first; also when the person presses Ctrl-C in the middle. */
export interface Cleanup {
  add(close: () => Promise<void>): void;
  /** Runs each closer once, latest first; one that fails does not keep the others from running. */
  run(): Promise<void>;
}

export function createCleanup(): Cleanup {
  const closers: (() => Promise<void>)[] = [];
  const run = async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close().catch(() => undefined);
  };
  const interrupted = (signal: NodeJS.Signals) => {
    void run().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  return { add: (close) => closers.push(close), run };
}
