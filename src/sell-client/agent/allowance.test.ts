import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAllowance } from './allowance.ts';

describe('an allowance', () => {
  it('lets a few through at once, then one for each interval, and says how long to wait', () => {
    const allowance = createAllowance({ burst: 2, everyMs: 10_000 });
    expect([allowance.take(1000), allowance.take(1000), allowance.take(1000)]).toEqual([true, true, false]);
    expect(allowance.waitMs(4000)).toBe(7000);
    expect(allowance.take(10_999)).toBe(false);
    expect([allowance.take(11_000), allowance.take(11_000)]).toEqual([true, false]);
    expect(allowance.waitMs(1_000_000)).toBe(0);
  });

  it('never allows more than burst and rate, and keeps its word on the wait', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30_000), { maxLength: 80 }), (steps) => {
        const allowance = createAllowance({ burst: 3, everyMs: 5000 });
        let nowMs = 0;
        let taken = 0;
        for (const step of steps) {
          nowMs += step;
          const waitMs = allowance.waitMs(nowMs);
          expect(allowance.take(nowMs)).toBe(waitMs === 0);
          if (waitMs === 0) taken += 1;
          else expect(waitMs).toBeLessThanOrEqual(5000);
        }
        expect(taken).toBeLessThanOrEqual(3 + nowMs / 5000);
      }),
    );
  });
});
