import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPlaces } from './json-place.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('places in JSON', () => {
  it('names line and column of every outer key, also of one given twice, and of no inner key', () => {
    const found = jsonPlaces('{\n  "a": {"inner": [1, {"a": 2}]},\n\n  "b\\u0021": "x", "a": null\n}');
    expect(found).toEqual({
      kind: 'valid',
      keys: [
        { key: 'a', line: 2, column: 3 },
        { key: 'b!', line: 4, column: 3 },
        { key: 'a', line: 4, column: 19 },
      ],
    });
  });

  it.each([
    { text: '{"a":1,}', line: 1, column: 8, atEnd: false },
    { text: "{\n'a':1}", line: 2, column: 1, atEnd: false },
    { text: '{"a":x}', line: 1, column: 6, atEnd: false },
    { text: '{"a":"tab\there"}', line: 1, column: 6, atEnd: false },
    { text: '{"a":1} more', line: 1, column: 9, atEnd: false },
    { text: '{\n"a":1\n', line: 3, column: 1, atEnd: true },
    { text: '', line: 1, column: 1, atEnd: true },
    { text: '['.repeat(100_000), line: 1, column: 22, atEnd: false },
  ])('finds the first mistake in $text', ({ text, line, column, atEnd }) => {
    expect(jsonPlaces(text)).toEqual({ kind: 'mistake', place: { line, column }, atEnd });
  });

  it('takes what JSON.parse takes and refuses what it refuses', () => {
    const changed = fc
      .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('', '"', '{', ',', '\\', '0', '-', '\u0001', ' ', 'e'))
      .map(
        ([text, at, put]) =>
          `${text.slice(0, at % (text.length + 1))}${put}${text.slice((at % (text.length + 1)) + 1)}`,
      );
    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 3 }), changed), (text) => {
        expect(jsonPlaces(text).kind === 'valid').toBe(isJson(text));
      }),
      { numRuns: 2000 },
    );
  });
});
