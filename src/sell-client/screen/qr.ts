/**
 * A link as a QR code (ISO/IEC 18004) in half blocks: one cell is one module wide and two high. Light modules are drawn and
 * dark ones left black, so that the code has the full contrast of the console and dark on light, as every reader expects.
 */
import { generate, mode } from 'lean-qr';
import { halfBlocks } from './big-letters.ts';

/** The standard asks for four modules of quiet zone; phones read with two, where four do not fit. */
const QUIET_ZONES = [4, 3, 2] as const;

/** Links are ASCII. And the image's Node.js knows no Japanese text encoding, which the library would look at for kanji. */
const MODES = [mode.numeric, mode.alphaNumeric, mode.ascii];
/** What 33 by 33 modules hold at best; anything longer would not fit a screen of 25 rows. */
const MAX_LINK_LENGTH = 114;

export interface CellSize {
  readonly columns: number;
  readonly rows: number;
}

/** Null when the code is too large for the room: a code that cannot be scanned helps nobody. */
export function qrCells(link: string, room: CellSize): string[] | null {
  if (link.length > MAX_LINK_LENGTH || !/^[!-~]+$/.test(link)) return null;
  const code = generate(link, { modes: MODES });
  for (const quiet of QUIET_ZONES) {
    const size = code.size + 2 * quiet;
    if (size > room.columns || Math.ceil(size / 2) > room.rows) continue;
    const modules = Array.from({ length: size + (size % 2) }, (_, y) =>
      Array.from({ length: size }, (_, x) => (code.get(x - quiet, y - quiet) ? '.' : '#')).join(''),
    );
    return Array.from({ length: modules.length / 2 }, (_, row) =>
      halfBlocks(modules[2 * row] ?? '', modules[2 * row + 1] ?? ''),
    );
  }
  return null;
}
