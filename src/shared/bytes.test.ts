import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes } from './bytes.ts';

describe('bytes are equal', () => {
  // around the length from which more than one byte is compared at a time, at any place in their buffer
  const length = fc.oneof(fc.nat(20), fc.integer({ min: 250, max: 265 }), fc.nat(2_000));
  const placed = (content: Uint8Array, offset: number): Uint8Array => {
    const view = new Uint8Array(content.length + offset + 3).subarray(offset, offset + content.length);
    view.set(content);
    return view;
  };

  it('when their content is, and no byte of it differs', () => {
    fc.assert(
      fc.property(length, fc.nat(7), fc.nat(7), fc.nat(), fc.integer({ min: 1, max: 255 }), (size, a, b, at, by) => {
        const content = Uint8Array.from({ length: size }, (_, index) => (index * 31) & 0xff);
        const [left, right] = [placed(content, a), placed(content, b)];
        expect(equalBytes(left, right)).toBe(true);
        if (size === 0) return;
        const place = at % size;
        right[place] = (right[place] ?? 0) ^ by;
        expect(equalBytes(left, right)).toBe(false);
      }),
    );
  });

  it('at every place of a long one', () => {
    const content = new Uint8Array(259);
    for (let place = 0; place < content.length; place += 1) {
      expect(
        equalBytes(
          content,
          content.map((byte, at) => (at === place ? 1 : byte)),
        ),
      ).toBe(false);
    }
  });

  it('never when their lengths differ', () => {
    expect(equalBytes(new Uint8Array(300), new Uint8Array(301))).toBe(false);
    expect(equalBytes(new Uint8Array(0), new Uint8Array(1))).toBe(false);
  });
});
