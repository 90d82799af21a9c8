/** Plain text in 80 columns: words into lines, labels, two texts side by side, colour only when asked for. */
import { printable } from '../event-log/report.ts';

export const COLUMNS = 80;
const LABEL_COLUMNS = 14;

/** Words into lines; a word longer than a line stands alone, uncut. Control characters are shown, never sent. */
export function wrap(text: string, first: string, rest: string, columns = COLUMNS): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of printable(text).split(' ')) {
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

/** `Label:` and the text beside it; an empty label continues the one before. */
export function labelled(label: string, text: string): string[] {
  const indent = ' '.repeat(LABEL_COLUMNS);
  return wrap(text, label === '' ? indent : `${label}: `.padEnd(LABEL_COLUMNS), indent);
}

/** Two columns of `width` each; words that are longer are cut into pieces, so that nothing is lost. */
export function sideBySide(left: string, right: string, indent: string, width: number): string[] {
  const [a, b] = [left, right].map((text) => wrap(broken(text, width), '', '', width)) as [string[], string[]];
  return Array.from({ length: Math.max(a.length, b.length) }, (_, row) =>
    `${indent}${(a[row] ?? '').padEnd(width)}  ${b[row] ?? ''}`.trimEnd(),
  );
}

function broken(text: string, width: number): string {
  const piece = new RegExp(`\\S{${width}}(?=\\S)`, 'g');
  return printable(text).replace(piece, '$& ');
}

export type Colour = 'green' | 'red' | 'yellow';
export type Painter = (colour: Colour, text: string) => string;

const CODES: { readonly [name in Colour]: number } = { green: 32, red: 31, yellow: 33 };

export function painter(on: boolean): Painter {
  return (colour, text) => (on ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}
