import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BROKER_BACK_OFF, backOffMs } from './back-off.ts';

const failures = fc.integer({ min: 1, max: 10_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backOffMs', () => {
  it('starts between half a second and a second and doubles', () => {
    expect(backOffMs(BROKER_BACK_OFF, 1, 0)).toBe(500);
    expect(backOffMs(BROKER_BACK_OFF, 2, 0)).toBe(1000);
    expect(backOffMs(BROKER_BACK_OFF, 3, 0.5)).toBe(3000);
  });

  it('never exceeds its maximum and never falls below half of the first step', () => {
    fc.assert(
      fc.property(failures, random, (count, chance) => {
        const waitMs = backOffMs(BROKER_BACK_OFF, count, chance);
        expect(waitMs).toBeLessThanOrEqual(BROKER_BACK_OFF.maxMs);
        expect(waitMs).toBeGreaterThanOrEqual(BROKER_BACK_OFF.firstMs / 2);
      }),
    );
  });

  it('never shrinks when failures go on, for the same chance', () => {
    fc.assert(
      fc.property(failures, random, (count, chance) => {
        expect(backOffMs(BROKER_BACK_OFF, count + 1, chance)).toBeGreaterThanOrEqual(
          backOffMs(BROKER_BACK_OFF, count, chance),
        );
      }),
    );
  });
});
