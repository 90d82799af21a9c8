/** Where in a JSON text a mistake is, and on which line a key stands: what JSON.parse does not say in every version. */

export interface Place {
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
}

export interface KeyPlace extends Place {
  readonly key: string;
}

/** `keys`: those of the outermost object, in the order of the text, each time they are given. */
export type JsonPlaces =
  | { readonly kind: 'valid'; readonly keys: readonly KeyPlace[] }
  | { readonly kind: 'mistake'; readonly place: Place; readonly atEnd: boolean };

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER_OR_WORD = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
/** No configuration nests; a deeper text is called a mistake where it goes deeper. */
const MAX_DEPTH = 20;

class Mistake extends Error {
  readonly at: number;
  constructor(at: number) {
    super();
    this.at = at;
  }
}

/** RFC 8259, without keeping values. */
export function jsonPlaces(text: string): JsonPlaces {
  const keys: { key: string; at: number }[] = [];
  try {
    const end = skip(text, value(text, skip(text, 0), 0, keys));
    if (end < text.length) throw new Mistake(end);
    const places = placesOf(
      text,
      keys.map(({ at }) => at),
    );
    return { kind: 'valid', keys: keys.map(({ key }, index) => ({ key, ...(places[index] as Place) })) };
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const [place] = placesOf(text, [error.at]) as [Place];
    return { kind: 'mistake', place, atEnd: error.at >= text.length };
  }
}

/** Each returns the offset behind what it has read. */
function value(text: string, at: number, depth: number, keys: { key: string; at: number }[]): number {
  if (depth > MAX_DEPTH) throw new Mistake(at);
  if (text[at] === '{') return members(text, at, '}', (from) => member(text, from, depth, keys));
  if (text[at] === '[') return members(text, at, ']', (from) => value(text, from, depth + 1, keys));
  return text[at] === '"' ? match(STRING, text, at) : match(NUMBER_OR_WORD, text, at);
}

function members(text: string, open: number, close: string, one: (at: number) => number): number {
  let at = skip(text, open + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    at = skip(text, one(at));
    if (text[at] === close) return at + 1;
    if (text[at] !== ',') throw new Mistake(at);
    at = skip(text, at + 1);
  }
}

function member(text: string, at: number, depth: number, keys: { key: string; at: number }[]): number {
  const end = match(STRING, text, at);
  if (depth === 0) keys.push({ key: JSON.parse(text.slice(at, end)) as string, at });
  const colon = skip(text, end);
  if (text[colon] !== ':') throw new Mistake(colon);
  return value(text, skip(text, colon + 1), depth + 1, keys);
}

function skip(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  if (pattern.exec(text) === null) throw new Mistake(at);
  return pattern.lastIndex;
}

/** In one pass: a text may be all keys. @param offsets ascending */
function placesOf(text: string, offsets: readonly number[]): Place[] {
  let [line, start, end] = [1, 0, text.indexOf('\n')];
  return offsets.map((at) => {
    for (; end >= 0 && end < at; end = text.indexOf('\n', start)) {
      line += 1;
      start = end + 1;
    }
    return { line, column: at - start + 1 };
  });
}
