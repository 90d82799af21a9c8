/** A screen as rows of cells: text, and beside it a letter for how each cell looks. */

export const COLUMNS = 80;
export const ROWS = 25;

/** ' ' plain, w bright, d dim, g good, y wants the seller, r wrong. */
export type Look = ' ' | 'w' | 'd' | 'g' | 'y' | 'r';

export interface Row {
  /** 80 characters: printable ASCII and the block characters of code page 437. */
  readonly text: string;
  /** 80 letters of `Look`. */
  readonly looks: string;
}

export function row(text: string, look: Look = ' '): Row {
  const cells = printable(text).slice(0, COLUMNS).padEnd(COLUMNS);
  return { text: cells, looks: look.repeat(COLUMNS) };
}

/** `over` put onto `under` from a column on; what does not fit is cut. */
export function overlaid(under: Row, column: number, over: string, look: Look): Row {
  const cells = printable(over).slice(0, Math.max(0, COLUMNS - column));
  const put = (below: string, above: string) => below.slice(0, column) + above + below.slice(column + above.length);
  return { text: put(under.text, cells), looks: put(under.looks, look.repeat(cells.length)) };
}

/** Broken between words; further rows are set in. */
export function wrapped(text: string, columns: number, indent = ''): string[] {
  const rows: string[] = [];
  let current = '';
  for (const word of text.split(/ +/)) {
    if (current !== '' && current.length + 1 + word.length > columns) {
      rows.push(current);
      current = indent + word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...rows, current];
}

export function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 3)}...` : text;
}

/** Text from the broker or the firmware cannot move the cursor. */
export function printable(text: string): string {
  return text.replaceAll('…', '...').replace(/[^\x20-\x7e█▀▄]/g, '?');
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
