/** The size tree on a terminal of 80 columns: coloured rectangles, or bars where colours are not wanted. Pure. */
import { PARTS, type PartName, type SizeNode } from './size-tree.ts';
import { type Rectangle, squarify } from './squarify.ts';

const COLUMNS = 80;
const MAP_ROWS = 20;
/** A cell is about twice as high as wide. */
const CELL_HEIGHT = 2;
/** Backgrounds of the 256-colour palette on which black is easy to read, one for each part. */
const COLOURS = [117, 151, 222, 217, 183, 187, 116, 250];
const BAR_COLUMNS = 24;
const NAME_COLUMNS = 38;
const LEAST_LETTERS = 7;
const MOST_CHILDREN = 12;
const MOST_GRANDCHILDREN = 4;

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

/** What a node is called: parts have words of their own. */
export function wordsOf({ name }: SizeNode): string {
  return name in PARTS ? `${name}: ${PARTS[name as PartName]}` : name;
}

/** A tree map: the node's children as areas in one colour each, their children as cells in them. */
export function terminalMap(node: SizeNode): string[] {
  const children = (node.children ?? []).filter(({ bytes }) => bytes > 0);
  const cells: { text: string; colour: number }[][] = Array.from({ length: MAP_ROWS }, () =>
    Array.from({ length: COLUMNS }, () => ({ text: ' ', colour: 0 })),
  );
  const room = { x: 0, y: 0, width: COLUMNS, height: MAP_ROWS * CELL_HEIGHT };
  const areas = squarify(
    children.map(({ bytes }) => bytes),
    room,
  );
  children.forEach((child, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? 250;
    const area = areas[index] ?? room;
    const below = (child.children ?? []).filter(({ bytes }) => bytes > 0);
    const parts = below.length < 2 ? [child] : below;
    const places = squarify(
      parts.map(({ bytes }) => bytes),
      area,
    );
    parts.forEach((part, at) => {
      paint(cells, places[at] ?? area, { colour, lines: labelOf(part, at === 0 && part !== child ? child.name : '') });
    });
  });
  return cells.map((row) => `${row.map(({ text, colour }) => `\x1b[30;48;5;${colour}m${text}`).join('')}\x1b[0m`);
}

function labelOf(part: SizeNode, group: string): string[] {
  const name = part.name.slice(part.name.lastIndexOf('/') + 1);
  return [group === '' ? name : `${group}: ${name}`, mebibytes(part.bytes)];
}

/** The last column and row of a cell stay dark, as lines between neighbours. */
function paint(
  cells: { text: string; colour: number }[][],
  { x, y, width, height }: Rectangle,
  { colour, lines }: { colour: number; lines: readonly string[] },
): void {
  const [left, right] = [Math.round(x), Math.round(x + width)];
  const [top, bottom] = [Math.round(y / CELL_HEIGHT), Math.round((y + height) / CELL_HEIGHT)];
  for (let row = top; row < bottom; row += 1) {
    const line = fitted(lines[row - top] ?? '', right - left - 1);
    for (let column = left; column < right; column += 1) {
      const edge = column === right - 1 && right - left > 1;
      const cell = cells[row]?.[column];
      if (cell === undefined) continue;
      cell.colour = edge ? 16 : colour;
      cell.text = edge ? ' ' : (line[column - left] ?? ' ');
    }
  }
}

/** Nothing rather than two letters of a name or the first digits of a number. */
function fitted(line: string, columns: number): string {
  if (line.length <= columns) return line;
  return /^[a-z]/i.test(line) && columns >= LEAST_LETTERS ? `${line.slice(0, columns - 1)}…` : '';
}

/** The same as names, bars and numbers, two levels deep. */
export function terminalBars(node: SizeNode): string[] {
  const children = node.children ?? [];
  const shown = children.slice(0, MOST_CHILDREN);
  const lines = shown.flatMap((child) => [
    bar(child.children === undefined ? baseName(child) : wordsOf(child), child.bytes, node.bytes, 0),
    ...(child.children ?? []).slice(0, MOST_GRANDCHILDREN).map((one) => bar(baseName(one), one.bytes, node.bytes, 2)),
  ]);
  const left = children.slice(MOST_CHILDREN);
  const leftBytes = left.reduce((sum, one) => sum + one.bytes, 0);
  return left.length === 0 ? lines : [...lines, bar(`${left.length} more`, leftBytes, node.bytes, 0)];
}

const baseName = (node: SizeNode) =>
  node.name.includes('/') ? node.name.slice(node.name.lastIndexOf('/') + 1) : wordsOf(node);

function bar(name: string, bytes: number, ofBytes: number, indent: number): string {
  const room = NAME_COLUMNS - indent;
  const label = ' '.repeat(indent) + (name.length > room ? `${name.slice(0, room - 3)}...` : name).padEnd(room);
  const eighths = Math.round((bytes / ofBytes) * BAR_COLUMNS * 8);
  const filled = '█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8];
  return `${label} ${filled.padEnd(BAR_COLUMNS)} ${mebibytes(bytes).padStart(10)}`.trimEnd();
}
