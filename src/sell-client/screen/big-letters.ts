/**
 * Words in large letters out of block characters, which every console font of the kernel has (code page 437). Each letter
 * is a grid of dots; a character cell is twice as high as wide, so two cells side by side, or half of one, are a square.
 */

/** Rows of seven letters or so, five dots wide and seven high, one column apart. */
const DRAWN = `
A     B     C     D     E     F     G     H     I
.###. ####. .#### ####. ##### ##### .#### #...# .###.
#...# #...# #.... #...# #.... #.... #.... #...# ..#..
#...# #...# #.... #...# #.... #.... #.... #...# ..#..
##### ####. #.... #...# ####. ####. #..## ##### ..#..
#...# #...# #.... #...# #.... #.... #...# #...# ..#..
#...# #...# #.... #...# #.... #.... #...# #...# ..#..
#...# ####. .#### ####. ##### #.... .#### #...# .###.

J     K     L     M     N     O     P     Q     R
..### #...# #.... #...# #...# .###. ####. .###. ####.
...#. #..#. #.... ##.## ##..# #...# #...# #...# #...#
...#. #.#.. #.... #.#.# #.#.# #...# #...# #...# #...#
...#. ##... #.... #.#.# #.#.# #...# ####. #...# ####.
...#. #.#.. #.... #...# #.#.# #...# #.... #.#.# #.#..
#..#. #..#. #.... #...# #..## #...# #.... #..#. #..#.
.##.. #...# ##### #...# #...# .###. #.... .##.# #...#

S     T     U     V     W     X     Y     Z     -
.#### ##### #...# #...# #...# #...# #...# ##### .....
#.... ..#.. #...# #...# #...# #...# #...# ....# .....
#.... ..#.. #...# #...# #...# .#.#. .#.#. ...#. .....
.###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#.. #####
....# ..#.. #...# #...# #.#.# .#.#. ..#.. .#... .....
....# ..#.. #...# .#.#. ##.## #...# ..#.. #.... .....
####. ..#.. .###. ..#.. #...# #...# ..#.. ##### .....
`;
const DOTS_HIGH = 7;
const SPACE = Array.from({ length: DOTS_HIGH }, () => '...');
const LETTERS = readLetters(DRAWN);

export const BIG_ROWS = DOTS_HIGH;
export const MEDIUM_ROWS = Math.ceil(DOTS_HIGH / 2);

/** Seven rows, two cells a dot. Letters stand two cells apart where that fits into `columns`, else one. */
export function bigText(text: string, columns: number): string[] {
  const wide = rowsOf(text, '##', 2, '  ');
  const rows = (wide[0]?.length ?? 0) <= columns ? wide : rowsOf(text, '##', 1, '  ');
  return rows.map((row) => row.replaceAll('#', '█').replaceAll('.', ' '));
}

/** Four rows, one cell wide and half a cell high a dot. */
export function mediumText(text: string): string[] {
  const dots = rowsOf(text, '#', 1, ' ');
  return Array.from({ length: MEDIUM_ROWS }, (_, row) => halfBlocks(dots[2 * row] ?? '', dots[2 * row + 1] ?? ''));
}

/** Two rows of dots, `#` for a lit one, as one row of cells. */
export function halfBlocks(upper: string, lower: string): string {
  const columns = Math.max(upper.length, lower.length);
  return Array.from({ length: columns }, (_, column) => {
    const [top, bottom] = [upper[column] === '#', lower[column] === '#'];
    if (top && bottom) return '█';
    if (top) return '▀';
    return bottom ? '▄' : ' ';
  }).join('');
}

function rowsOf(text: string, dot: string, gap: number, blank: string): string[] {
  const letters = [...text].map((letter) => LETTERS.get(letter) ?? SPACE);
  return SPACE.map((_, row) =>
    letters
      .map((letter) => (letter[row] ?? '').replaceAll('.', blank.replaceAll(' ', '.')).replaceAll('#', dot))
      .join('.'.repeat(gap)),
  );
}

function readLetters(drawn: string): Map<string, readonly string[]> {
  const letters = new Map<string, readonly string[]>();
  for (const block of drawn.trim().split('\n\n')) {
    const [names = '', ...rows] = block.split('\n');
    for (const name of names.split(/ +/)) {
      const at = names.indexOf(name);
      letters.set(name, trimmed(rows.map((row) => row.slice(at, at + 5))));
    }
  }
  return letters;
}

/** Without the columns that are empty on both sides: an I is narrower than a W. */
function trimmed(rows: readonly string[]): readonly string[] {
  const lit = (column: number) => rows.some((row) => row[column] === '#');
  const columns = [0, 1, 2, 3, 4].filter(lit);
  return rows.map((row) => row.slice(columns[0], (columns.at(-1) ?? 4) + 1));
}
