import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from './debian-version.ts';

const text = fc.stringMatching(/^[0-9A-Za-z.+:~-]{0,20}$/);

describe('compareVersions', () => {
  it.each([
    ['1.0', '1.0', 0],
    ['1.0', '1.00', 0],
    ['0:1.0', '1.0', 0],
    ['1.0-0', '1.0', 0],
    ['1.9', '1.10', -1],
    ['1.0~rc1', '1.0', -1],
    ['1.0~~', '1.0~', -1],
    ['1.0', '1.0a', -1],
    ['1.0a', '1.0+', -1],
    ['9.9', '1:0.1', -1],
    ['6.12.117-1', '6.12.120-1', -1],
    ['1:1.37.0-6', '1:1.37.0-6+b9', -1],
    ['3.5.7-1~deb13u2', '3.5.7-1~deb13u3', -1],
    ['2.12-9', '2.12-9+deb13u2', -1],
    ['1.2-3-4', '1.2-4-1', -1],
    ['99999999999999999998', '99999999999999999999', -1],
  ])('%s against %s', (a, b, order) => {
    expect(Math.sign(compareVersions(a, b))).toBe(order);
    expect(Math.sign(compareVersions(b, a))).toBe(order === 0 ? 0 : -order);
  });

  it('is an order of any texts', () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(compareVersions(a, a)).toBe(0);
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
