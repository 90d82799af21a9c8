import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateLimiter, requesterOf } from './rate-limit.ts';

describe('the rate limiter', () => {
  it('lets a burst through, then says how long to wait, then lets one through', () => {
    const limiter = createRateLimiter({ burst: 3, perSecond: 0.5, maxRequesters: 10 });
    expect([0, 0, 0, 0].map(() => limiter.take('a', 1000))).toEqual([0, 0, 0, 2]);
    expect(limiter.take('b', 1000)).toBe(0);
    expect(limiter.take('a', 3000)).toBe(0);
    expect(limiter.take('a', 3000)).toBe(2);
  });

  it('forgets the requester unheard of for longest, and no other', () => {
    const limiter = createRateLimiter({ burst: 1, perSecond: 1, maxRequesters: 2 });
    for (const requester of ['a', 'b', 'c']) limiter.take(requester, 0);
    expect(limiter.take('b', 0)).toBe(1);
    expect(limiter.take('c', 0)).toBe(1);
    expect(limiter.take('a', 0)).toBe(0);
  });

  it('never lets more through than burst and rate allow, even when the clock steps back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2000, max: 5000 }), { maxLength: 60 }), (steps) => {
        const limiter = createRateLimiter({ burst: 5, perSecond: 2, maxRequesters: 3 });
        let now = 100_000;
        let forward = 0;
        let passed = 0;
        for (const step of steps) {
          now += step;
          forward += Math.max(0, step);
          if (limiter.take('a', now) === 0) passed += 1;
        }
        expect(passed).toBeLessThanOrEqual(5 + (forward / 1000) * 2);
      }),
    );
  });
});

describe('a requester', () => {
  it.each([
    { address: '192.0.2.7', requester: '192.0.2.7' },
    { address: '::ffff:192.0.2.7', requester: '192.0.2.7' },
    { address: '2001:db8:1:2:3:4:5:6', requester: '2001:db8:1:2' },
    { address: '2001:db8:1:2::9', requester: '2001:db8:1:2' },
    { address: '2001:db8::9', requester: '2001:db8:0:0' },
    { address: '::1', requester: '0:0:0:0' },
  ])('$address is $requester', ({ address, requester }) => expect(requesterOf(address)).toBe(requester));
});
