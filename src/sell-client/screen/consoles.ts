/** The consoles that the kernel was told of: a VT gets the screen, a serial line gets one line per change. */
import { constants, createWriteStream, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AgentState } from '../agent/state.ts';
import { drawRow, PREPARE, RESTORE } from './ansi.ts';
import { renderScreen, type ScreenFacts } from './render.ts';
import type { Row } from './rows.ts';
import { newLines, statusLines } from './status-lines.ts';

export interface Display {
  show(state: AgentState, nowMs: number): void;
  close(): void;
}

const VT = /^tty\d+$/;
/** A reader that has gone must not make the program grow: what does not fit is dropped. */
const MAX_QUEUED_BYTES = 64 * 1024;

/** What stands on every screen, whatever the machine does. */
export type Banner = Pick<ScreenFacts, 'title' | 'debug'>;

export async function openConsoles(activeConsoles: string, banner: Banner): Promise<Display[]> {
  const names = (await readFile(activeConsoles, 'utf8')).trim().split(/\s+/);
  return names.map((name) => {
    // tty0 is the VT in front; ours is the first, and none other is ever opened.
    if (VT.test(name)) return screenDisplay(openTerminal('/dev/tty1'), banner);
    return linesDisplay(openTerminal(`/dev/${name}`));
  });
}

/** The kernel's own messages may overwrite the screen: it is drawn whole again now and then. */
const REDRAW_MS = 60_000;

/** Draws in place, and only the rows that differ from what is there. */
export function screenDisplay(out: NodeJS.WritableStream & { writableLength?: number }, banner: Banner): Display {
  let shown: readonly Row[] = [];
  let drawnWholeAtMs = 0;
  return {
    show: (state, nowMs) => {
      if ((out.writableLength ?? 0) > MAX_QUEUED_BYTES) return;
      if (nowMs - drawnWholeAtMs >= REDRAW_MS) shown = [];
      const rows = renderScreen(state, { ...banner, nowMs });
      const whole = shown.length === 0;
      if (whole) drawnWholeAtMs = nowMs;
      const drawn = rows.map((row, index) => (sameRow(shown[index], row) ? '' : drawRow(index, row))).join('');
      shown = rows;
      if (drawn !== '') out.write((whole ? PREPARE : '') + drawn);
    },
    close: () => out.end(RESTORE),
  };
}

function sameRow(a: Row | undefined, b: Row): boolean {
  return a?.text === b.text && a.looks === b.looks;
}

export function linesDisplay(out: NodeJS.WritableStream & { writableLength?: number }): Display {
  let shown: string[] = [];
  return {
    show: (state) => {
      if ((out.writableLength ?? 0) > MAX_QUEUED_BYTES) return;
      const lines = statusLines(state);
      const fresh = newLines(shown, lines);
      shown = lines;
      if (fresh.length > 0) out.write(fresh.map((line) => `${line}\r\n`).join(''));
    },
    close: () => out.end(),
  };
}

/** Not as the controlling terminal: keys on it are nobody's signals. */
function openTerminal(path: string): WriteStream {
  const out = createWriteStream(path, { flags: (constants.O_WRONLY | constants.O_NOCTTY) as unknown as string });
  // A console that goes away is no reason to stop selling.
  out.on('error', () => undefined);
  return out;
}
