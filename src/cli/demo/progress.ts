/** Lines that tell a waiting person what happens: one a step, with the time it took, updated in place on a terminal. */
export interface Progress {
  /** Starts a step; the earlier one counts as done. */
  step(title: string): void;
  /** What the running step is at. */
  detail(text: string): void;
  /** Ends the running step, with what came of it. */
  done(result?: string): void;
}

export function createProgress(out: NodeJS.WriteStream): Progress {
  let title: string | undefined;
  let startedAtMs = 0;
  const live = out.isTTY === true && process.env.CI === undefined;
  const erase = () => {
    if (live) out.write('\r\u001b[2K');
  };
  const progress: Progress = {
    step(next) {
      if (title !== undefined) progress.done();
      title = next;
      startedAtMs = performance.now();
      if (live) out.write(`… ${next}`);
    },
    detail(text) {
      if (title === undefined) return;
      erase();
      if (live) out.write(`… ${title}: ${text}`.slice(0, (out.columns ?? 80) - 1));
      else out.write(`    ${text}\n`);
    },
    done(result) {
      if (title === undefined) return;
      erase();
      const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
      out.write(`✓ ${title}${result === undefined ? '' : `: ${result}`} (${seconds} s)\n`);
      title = undefined;
    },
  };
  return progress;
}
