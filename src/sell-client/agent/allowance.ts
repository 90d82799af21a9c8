/** How often something may happen: a few at once, then one at a time, so that strangers cannot wear out or occupy the TPM. */
export interface AllowanceLimit {
  readonly burst: number;
  /** One more after each of these. */
  readonly everyMs: number;
}

export interface Allowance {
  /** 0 when it may happen now, else how long until then. */
  waitMs(nowMs: number): number;
  /** Spends one; false, and nothing is spent, when there is none. */
  take(nowMs: number): boolean;
}

export function createAllowance({ burst, everyMs }: AllowanceLimit): Allowance {
  let left = burst;
  /** The moment up to which refills are counted in `left`. */
  let countedMs = 0;
  const refill = (nowMs: number) => {
    const gained = Math.max(0, Math.floor((nowMs - countedMs) / everyMs));
    left = Math.min(burst, left + gained);
    countedMs = left === burst ? Math.max(countedMs, nowMs) : countedMs + gained * everyMs;
  };
  return {
    waitMs(nowMs) {
      refill(nowMs);
      return left > 0 ? 0 : Math.max(1, countedMs + everyMs - nowMs);
    },
    take(nowMs) {
      refill(nowMs);
      if (left === 0) return false;
      left -= 1;
      return true;
    },
  };
}
