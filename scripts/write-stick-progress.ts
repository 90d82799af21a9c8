/** Progress of a stick in words: one line that changes on a terminal, else a line per tenth. */
import type { WriteState } from './stick/write-input.ts';

export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const CLEAR_TO_END = '\u001b[K';
const REDRAW_MS = 100;

/** `now` in milliseconds. */
export function stickProgress(out: ProgressOutput, now: () => number): (state: WriteState) => void {
  let phase: WriteState['phase'] | undefined;
  let since = 0;
  let told = 0;
  let begun = 0;
  let drawn = Number.NEGATIVE_INFINITY;
  return (state) => {
    if (state.phase !== phase) {
      phase = state.phase;
      since = now();
      told = -1;
      begun = state.doneBytes; // the first block's time is not known
    }
    const finished = state.doneBytes >= state.totalBytes;
    const line = sayState(state, state.doneBytes - begun, now() - since);
    if (out.isTTY === true) {
      if (now() - drawn < REDRAW_MS && !finished) return;
      drawn = now();
      out.write(`\r${line}${CLEAR_TO_END}${finished ? '\n' : ''}`);
      return;
    }
    const tenth = Math.floor((10 * state.doneBytes) / state.totalBytes);
    if (tenth <= told) return;
    told = tenth;
    out.write(`${line}\n`);
  };
}

function sayState({ phase, doneBytes, totalBytes }: WriteState, timedBytes: number, milliseconds: number): string {
  const percent = Math.floor((100 * doneBytes) / totalBytes);
  const rate = milliseconds > 0 && timedBytes > 0 ? `, ${(timedBytes / milliseconds / 1000).toFixed(1)} MB/s` : '';
  const verb = phase === 'write' ? 'Written' : 'Read back';
  return `${verb} ${doneBytes} of ${totalBytes} bytes (${percent} %${rate})`;
}
