/**
 * The TPM's own counters, signed with every quote (TPMS_CLOCK_INFO, Part 2 §10.11.1; Part 1 §36): as a value, compared,
 * and in words. What of it is refused: judge-quote-clock.ts.
 */
import type { TpmsQuote } from 'tpm2-ts/attest';

/** What a quote says of its TPM's time, as JSON holds it: a u64 is text. */
export interface QuoteClock {
  /** Milliseconds that the TPM has been powered since its owner last cleared it, decimal. */
  readonly clockMs: string;
  /** How often the TPM was reset, as at each cold start, since it was cleared. */
  readonly resetCount: number;
  /** How often it was resumed since the last reset: falls to 0 with each. */
  readonly restartCount: number;
  /** False: power was lost without orderly shutdown, and a higher clock may have been reported before. */
  readonly safe: boolean;
  /** The maker's own numbering, 16 hex digits. */
  readonly firmwareVersion: string;
  /**
   * True for an AK of the owner's hierarchy: the TPM adds a secret constant to both counts and to the firmware version
   * (Part 1 §36.7), so that they can be compared with nothing.
   */
  readonly obfuscated: boolean;
}

/** The counters of a quote that is proven. */
export function quoteClockOf(
  { clockInfo: { clock, ...counts }, firmwareVersion }: Pick<TpmsQuote, 'clockInfo' | 'firmwareVersion'>,
  obfuscated: boolean,
): QuoteClock {
  return {
    clockMs: clock.toString(),
    ...counts,
    firmwareVersion: firmwareVersion.toString(16).padStart(16, '0'),
    obfuscated,
  };
}

/**
 * A reset raises resetCount, lets restartCount start again, and may set the clock back a little, which `safe` then admits.
 * Nothing else may fall. Counts that the TPM obfuscates show no reset, so that only the clock is left.
 */
export function wentBack(now: QuoteClock, last: QuoteClock): string | null {
  const comparable = !now.obfuscated && !last.obfuscated;
  if (comparable && now.resetCount < last.resetCount) {
    return `The TPM says ${now.resetCount} resets, and had ${last.resetCount} before: it was cleared, or an old state of it was put back.`;
  }
  const wasReset = comparable && now.resetCount > last.resetCount;
  if (BigInt(now.clockMs) < BigInt(last.clockMs) && (now.safe || !wasReset)) {
    return `The TPM's clock stands at ${now.clockMs} ms, and stood at ${last.clockMs} ms before.`;
  }
  if (comparable && !wasReset && now.restartCount < last.restartCount) {
    return `The TPM says ${now.restartCount} restarts since its last reset, and had ${last.restartCount} before.`;
  }
  return null;
}

/** Whether `now` may take the place of `last` as the newest one known. */
export function isLater(now: QuoteClock, last: QuoteClock): boolean {
  if (now.obfuscated !== last.obfuscated) return !now.obfuscated;
  if (!now.obfuscated && now.resetCount !== last.resetCount) return now.resetCount > last.resetCount;
  return BigInt(now.clockMs) > BigInt(last.clockMs);
}

export function sameClock(one: QuoteClock, other: QuoteClock): boolean {
  return (
    one.clockMs === other.clockMs &&
    one.resetCount === other.resetCount &&
    one.restartCount === other.restartCount &&
    one.safe === other.safe &&
    one.firmwareVersion === other.firmwareVersion &&
    one.obfuscated === other.obfuscated
  );
}

/** Null when this is a clock as `quoteClockOf` makes them. */
export function quoteClockProblem(clock: QuoteClock): string | null {
  const u32 = (count: number): boolean => Number.isInteger(count) && count >= 0 && count < 2 ** 32;
  const usable =
    /^[0-9]{1,20}$/.test(clock.clockMs) &&
    /^[0-9a-f]{16}$/.test(clock.firmwareVersion) &&
    u32(clock.resetCount) &&
    u32(clock.restartCount) &&
    typeof clock.safe === 'boolean' &&
    typeof clock.obfuscated === 'boolean';
  return usable ? null : 'the last known clock is not one of a quote';
}

/** As a line of facts: how often it was reset and resumed, and how long it was powered in all. */
export function describeClock(clock: QuoteClock): string {
  const counts = clock.obfuscated
    ? 'not told by this key'
    : `${clock.resetCount}, resumed ${clock.restartCount} times since`;
  return `${counts}; powered for ${duration(BigInt(clock.clockMs))} in all${clock.safe ? '' : ', not shut down orderly'}`;
}

/** What lies between two quotes of one TPM, in a sentence. */
export function describeBetween(before: QuoteClock, after: QuoteClock): string {
  const back = wentBack(after, before);
  if (back !== null) return back;
  if (before.obfuscated || after.obfuscated)
    return 'Whether the machine was restarted in between, the TPM does not tell.';
  const resets = after.resetCount - before.resetCount;
  if (resets > 0) return `The machine was restarted in between: its TPM was reset ${times(resets)}.`;
  const resumes = after.restartCount - before.restartCount;
  if (resumes > 0) return `The machine slept in between: its TPM was resumed ${times(resumes)}. It is the same start.`;
  return 'The machine was not restarted in between.';
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function duration(ms: bigint): string {
  const minutes = ms / 60_000n;
  if (minutes < 1n) return `${ms / 1000n} s`;
  if (minutes < 120n) return `${minutes} min`;
  const hours = minutes / 60n;
  return hours < 72n ? `${hours} h` : `${hours / 24n} days`;
}
