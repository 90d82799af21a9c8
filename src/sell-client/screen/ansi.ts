/** Rows of cells as what a Linux VT and any ANSI terminal understand (ECMA-48): cursor, colours, nothing else. */
import type { Look, Row } from './rows.ts';

/** UTF-8 on, cursor hidden, no automatic wrap, clear. */
export const PREPARE = '\x1b%G\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J';
export const RESTORE = '\x1b[0m\x1b[?25h\x1b[?7h';

const COLOURS: Record<Look, string> = {
  ' ': '0',
  w: '0;1;37',
  d: '0;36',
  g: '0;1;32',
  y: '0;1;33',
  r: '0;1;31',
};

/** `index` counts from 0. */
export function drawRow(index: number, { text, looks }: Row): string {
  let drawn = `\x1b[${index + 1};1H`;
  for (const run of looks.matchAll(/(.)\1*/g)) {
    const [cells, look] = [run[0], run[1] as Look];
    drawn += `\x1b[${COLOURS[look]}m${text.slice(run.index, run.index + cells.length)}`;
  }
  return `${drawn}\x1b[0m`;
}
