/** How long to wait after the n-th failure in a row: doubling with full-range jitter, so that machines do not return in step. */

export interface BackOff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const BROKER_BACK_OFF: BackOff = { firstMs: 1000, maxMs: 60_000 };

/** `failures` >= 1 is the length of the current row of failures; `random` is uniform in [0, 1). The result is in [½, 1] of the step. */
export function backOffMs(plan: BackOff, failures: number, random: number): number {
  const step = Math.min(plan.maxMs, plan.firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
  return Math.round(step * (0.5 + random / 2));
}
