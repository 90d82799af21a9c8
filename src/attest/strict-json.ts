/** Readers for JSON that must have exactly one shape: no unknown keys, no missing ones, no second guess. */
import { CodedError } from '../shared/errors.ts';

/** Thrown with the path of the first value that does not fit, for instance `events[3].digest: …`. */
export class ShapeError extends CodedError<'JSON_INVALID' | 'JSON_SHAPE'> {}

/** Takes an unknown value and its path, gives the typed value or throws. */
export type Reader<T> = (value: unknown, path: string) => T;
type Shape = { readonly [key: string]: Reader<unknown> };
type Read<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** UTF-8 JSON bytes or text, read by `reader`. @throws ShapeError */
export function readJson<T>(json: Uint8Array | string, reader: Reader<T>, name: string): T {
  let value: unknown;
  let source: string;
  try {
    source = typeof json === 'string' ? json : utf8.decode(json);
    value = JSON.parse(source);
  } catch (cause) {
    throw new ShapeError('JSON_INVALID', `${name} is not JSON`, { cause });
  }
  const twice = repeatedKey(source);
  if (twice !== null) throw new ShapeError('JSON_SHAPE', `${name} has the key ${cut(twice)} twice in one object`);
  return reader(value, name);
}

/** JSON.parse takes the last of several equal keys: the first rule would vanish. As written in JSON; `json` is valid. */
function repeatedKey(json: string): string | null {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(json, at);
      if (isKey(json, end)) {
        const written = json.slice(at, end);
        const key: string = written.includes('\\') ? JSON.parse(written) : written.slice(1, -1);
        const keys = open.at(-1);
        if (keys?.has(key)) return JSON.stringify(key);
        keys?.add(key);
      }
      at = end - 1;
    }
  }
  return null;
}

/** Behind the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  for (;;) {
    let escapes = 0;
    while (json[quote - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
    quote = json.indexOf('"', quote + 1);
  }
}

function isKey(json: string, from: number): boolean {
  let at = from;
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\t' || json[at] === '\r') at += 1;
  return json[at] === ':';
}

export function object<S extends Shape, O extends Shape = Record<never, never>>(
  required: S,
  optional?: O,
): Reader<Read<S> & Partial<Read<O>>> {
  const known = { ...optional, ...required } as Shape;
  const readers = Object.entries(known);
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misfit(path, 'an object', value);
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(known, key)) throw new ShapeError('JSON_SHAPE', `${path} has the unknown key "${cut(key)}"`);
    }
    const result: Record<string, unknown> = {};
    for (const [key, reader] of readers) {
      if (Object.hasOwn(value, key)) {
        result[key] = reader((value as Record<string, unknown>)[key], `${path}.${key}`);
      } else if (Object.hasOwn(required, key)) {
        throw new ShapeError('JSON_SHAPE', `${path} lacks the key "${key}"`);
      }
    }
    return result as Read<S> & Partial<Read<O>>;
  };
}

export function array<T>(reader: Reader<T>, limits: { min?: number; max: number }): Reader<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw misfit(path, 'a list', value);
    if (value.length < (limits.min ?? 0) || value.length > limits.max) {
      throw new ShapeError(
        'JSON_SHAPE',
        `${path} has ${value.length} entries, must have ${limits.min ?? 0} to ${limits.max}`,
      );
    }
    return value.map((entry, index) => reader(entry, `${path}[${index}]`));
  };
}

/** Text of bounded length, matching `pattern` from end to end where one is given. */
export function text(maxLength: number, pattern?: RegExp): Reader<string> {
  return (value, path) => {
    if (typeof value !== 'string') throw misfit(path, 'text', value);
    if (value.length > maxLength) {
      throw new ShapeError('JSON_SHAPE', `${path} has ${value.length} characters, at most ${maxLength} are allowed`);
    }
    if (pattern !== undefined && !pattern.test(value)) throw misfit(path, `text like ${pattern.source}`, value);
    return value;
  };
}

/** Lower-case hex of exactly `bytes` bytes. */
export const hex = (bytes: number): Reader<string> => text(2 * bytes, new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw misfit(path, `a whole number from ${min} to ${max}`, value);
    }
    return value;
  };
}

export function oneOf<const T extends readonly (string | number | boolean | null)[]>(allowed: T): Reader<T[number]> {
  return (value, path) => {
    if (!allowed.includes(value as T[number])) {
      throw misfit(path, `one of ${allowed.map((each) => JSON.stringify(each)).join(', ')}`, value);
    }
    return value as T[number];
  };
}

function misfit(path: string, wanted: string, value: unknown): ShapeError {
  return new ShapeError('JSON_SHAPE', `${path} must be ${wanted}, is ${cut(JSON.stringify(value) ?? 'undefined')}`);
}

function cut(value: string): string {
  return value.length > 60 ? `${value.slice(0, 57)}...` : value;
}
