/** A token bucket per requester: short bursts pass, a flood does not; the table of requesters is bounded itself. */
export interface RateLimit {
  /** Tokens a bucket holds, and what a new requester starts with. */
  readonly burst: number;
  readonly perSecond: number;
  readonly maxRequesters: number;
}

export interface RateLimiter {
  /** 0 when the request may pass, else how many seconds to wait. */
  take(requester: string, nowMs: number): number;
}

export function createRateLimiter({ burst, perSecond, maxRequesters }: RateLimit): RateLimiter {
  /** In order of last use: the first is the one unheard of for longest. */
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take(requester, nowMs) {
      const known = buckets.get(requester);
      const elapsedMs = known === undefined ? 0 : Math.max(0, nowMs - known.atMs);
      const tokens = known === undefined ? burst : Math.min(burst, known.tokens + (elapsedMs / 1000) * perSecond);
      const passes = tokens >= 1;
      buckets.delete(requester);
      buckets.set(requester, { tokens: passes ? tokens - 1 : tokens, atMs: nowMs });
      const oldest = buckets.keys().next();
      if (buckets.size > maxRequesters && !oldest.done) buckets.delete(oldest.value);
      return passes ? 0 : Math.ceil((1 - tokens) / perSecond);
    },
  };
}

/** An IPv6 subscriber owns a /64: all its addresses are one requester. */
export function requesterOf(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (!plain.includes(':')) return plain;
  const [head = '', tail = ''] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = plain.includes('::')
    ? Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
    : [];
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
