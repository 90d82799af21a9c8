import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newLedger } from '../ledger.ts';
import type { ClockPolicy } from '../policy/policy.ts';
import type { Check } from '../verdict.ts';
import { clockFindings, judgeQuoteClock } from './judge-quote-clock.ts';
import {
  describeBetween,
  describeClock,
  isLater,
  type QuoteClock,
  quoteClockOf,
  quoteClockProblem,
} from './quote-clock.ts';

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const base: QuoteClock = {
  clockMs: '1000000',
  resetCount: 12,
  restartCount: 3,
  safe: true,
  firmwareVersion: '0007005500000000',
  obfuscated: false,
};
const clock = (changes: Partial<QuoteClock> = {}): QuoteClock => ({ ...base, ...changes });
const STRICT: ClockPolicy = { unsafe: 'refuse', backwards: 'refuse', firmwareRollback: 'refuse' };
const LENIENT: ClockPolicy = { unsafe: 'accept', backwards: 'accept', firmwareRollback: 'accept' };

function check(now: QuoteClock, last: QuoteClock | null, policy = STRICT): Check {
  const ledger = newLedger(['quote-clock']);
  const passed = judgeQuoteClock(now, last, policy, ledger);
  const [result] = ledger.checks();
  expect(result?.status).toBe(passed ? 'passed' : 'failed');
  return result as Check;
}
const codes = (now: QuoteClock, last: QuoteClock | null) => clockFindings(now, last).map(({ failure }) => failure.code);

describe('against the last known clock', () => {
  it.each<{ name: string; now: Partial<QuoteClock>; last?: Partial<QuoteClock>; found: string[] }>([
    { name: 'the same once more', now: {}, found: [] },
    { name: 'later in the same start', now: { clockMs: '1000001' }, found: [] },
    { name: 'resumed from sleep', now: { clockMs: '1000001', restartCount: 4 }, found: [] },
    {
      name: 'restarted: restartCount begins again',
      now: { resetCount: 13, restartCount: 0, clockMs: '1000001' },
      found: [],
    },
    {
      name: 'a clock beyond what a double can hold',
      now: { clockMs: '9007199254740993' },
      last: { clockMs: '9007199254740992' },
      found: [],
    },
    {
      name: 'one below, beyond a double',
      now: { clockMs: '9007199254740992' },
      last: { clockMs: '9007199254740993' },
      found: ['QUOTE_CLOCK_BACKWARDS'],
    },
    { name: 'a clock with fewer digits', now: { clockMs: '999999' }, found: ['QUOTE_CLOCK_BACKWARDS'] },
    {
      name: 'fewer resumes without a reset',
      now: { clockMs: '2000000', restartCount: 2 },
      found: ['QUOTE_CLOCK_BACKWARDS'],
    },
    { name: 'fewer resets', now: { clockMs: '2000000', resetCount: 11 }, found: ['QUOTE_CLOCK_BACKWARDS'] },
    {
      name: 'cleared: all begins again',
      now: { clockMs: '5', resetCount: 0, restartCount: 0 },
      found: ['QUOTE_CLOCK_BACKWARDS'],
    },
    {
      name: 'a power cut: lower after a reset, and said',
      now: { clockMs: '900000', resetCount: 13, safe: false },
      found: ['QUOTE_CLOCK_UNSAFE'],
    },
    {
      name: 'lower after a reset, and called safe',
      now: { clockMs: '900000', resetCount: 13 },
      found: ['QUOTE_CLOCK_BACKWARDS'],
    },
    {
      name: 'lower without a reset, and called unsafe',
      now: { clockMs: '900000', safe: false },
      found: ['QUOTE_CLOCK_BACKWARDS', 'QUOTE_CLOCK_UNSAFE'],
    },
    { name: 'newer firmware', now: { firmwareVersion: '0007005600000000' }, found: [] },
    {
      name: 'older firmware',
      now: { resetCount: 13, firmwareVersion: '00070054ffffffff' },
      found: ['TPM_FIRMWARE_ROLLED_BACK'],
    },
    {
      name: 'older firmware above 2^63',
      now: { firmwareVersion: '7fffffffffffffff' },
      last: { firmwareVersion: '8000000000000000' },
      found: ['TPM_FIRMWARE_ROLLED_BACK'],
    },
    {
      name: 'obfuscated counts, which say nothing',
      now: { resetCount: 1, restartCount: 1, firmwareVersion: '0000000000000001', obfuscated: true },
      found: [],
    },
    {
      name: 'obfuscated counts hide no clock',
      now: { clockMs: '1', resetCount: 4_000_000_000, safe: false, obfuscated: true },
      found: ['QUOTE_CLOCK_BACKWARDS', 'QUOTE_CLOCK_UNSAFE'],
    },
    {
      name: 'plain counts after obfuscated ones',
      now: { resetCount: 1 },
      last: { resetCount: 4_000_000_000, obfuscated: true },
      found: [],
    },
  ])('$name: $found', ({ now, last, found }) => {
    expect(codes(clock(now), clock(last))).toEqual(found);
    expect(check(clock(now), clock(last)).code).toBe(found[0]);
    const lenient = check(clock(now), clock(last), LENIENT);
    expect(lenient.status).toBe('passed');
    expect(lenient.sentence.includes('Overlooked by the policy')).toBe(found.length > 0);
  });

  it('none known: said, and an unsafe one is still judged', () => {
    expect(check(base, null)).toMatchObject({
      status: 'passed',
      sentence: expect.stringContaining('No earlier clock'),
    });
    expect(check(clock({ safe: false }), null).code).toBe('QUOTE_CLOCK_UNSAFE');
  });

  it.each(['unsafe', 'backwards', 'firmwareRollback'] as const)('the policy decides on %s by itself', (rule) => {
    const now = clock({ clockMs: '1', safe: false, firmwareVersion: '0000000000000000' });
    const code = clockFindings(now, base).find((finding) => finding.rule === rule)?.failure.code;
    expect(check(now, base, { ...LENIENT, [rule]: 'refuse' }).code).toBe(code);
  });
});

/** What a TPM that is never cleared can do next, after Part 1 §36. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), ms: fc.bigInt(0n, 10_000_000_000_000n) }),
  fc.record({ kind: fc.constant('resume' as const), ms: fc.bigInt(0n, 1000n) }),
  fc.record({ kind: fc.constant('reset' as const), ms: fc.bigInt(0n, 1000n) }),
  fc.record({ kind: fc.constant('power cut' as const), lost: fc.bigInt(0n, 4_000_000n) }),
  fc.record({ kind: fc.constant('update' as const), by: fc.bigInt(1n, 1n << 40n) }),
);
const life = fc.array(step, { maxLength: 30 }).map((steps) => {
  let now = base;
  const seen = [now];
  for (const event of steps) {
    const at = BigInt(now.clockMs);
    if (event.kind === 'run') now = { ...now, clockMs: `${at + event.ms}` };
    if (event.kind === 'resume') now = { ...now, clockMs: `${at + event.ms}`, restartCount: now.restartCount + 1 };
    const fresh = { resetCount: now.resetCount + 1, restartCount: 0 };
    if (event.kind === 'reset') now = { ...now, ...fresh, clockMs: `${at + event.ms}` };
    if (event.kind === 'power cut') {
      now = { ...now, ...fresh, safe: false, clockMs: `${at > event.lost ? at - event.lost : 0n}` };
    }
    if (event.kind === 'update') {
      const firmwareVersion = (BigInt(`0x${now.firmwareVersion}`) + event.by).toString(16).padStart(16, '0');
      now = { ...now, firmwareVersion };
    }
    seen.push(now);
  }
  return seen;
});

describe('any life of a TPM', () => {
  const policy: ClockPolicy = { ...STRICT, unsafe: 'accept' };
  it('passes at each step, whichever steps were looked at', () => {
    fc.assert(
      fc.property(life, fc.nat(), fc.nat(), (seen, i, j) => {
        const [from, to] = [i % seen.length, j % seen.length].sort((x, y) => x - y) as [number, number];
        expect(check(seen[to] as QuoteClock, seen[from] as QuoteClock, policy).status).toBe('passed');
      }),
    );
  });

  it('fails wherever one counter is put back', () => {
    const field = fc.constantFrom('clockMs', 'resetCount', 'restartCount', 'firmwareVersion');
    fc.assert(
      fc.property(life, field, fc.bigInt(1n, MAX_U64), (seen, name, by) => {
        const last = seen.at(-1) as QuoteClock;
        const before = name === 'firmwareVersion' ? BigInt(`0x${last.firmwareVersion}`) : BigInt(last[name]);
        fc.pre(before > 0n);
        const lower = before - 1n - (by % before);
        const back =
          name === 'clockMs'
            ? { clockMs: `${lower}` }
            : name === 'firmwareVersion'
              ? { firmwareVersion: lower.toString(16).padStart(16, '0') }
              : { [name]: Number(lower) };
        const code = name === 'firmwareVersion' ? 'TPM_FIRMWARE_ROLLED_BACK' : 'QUOTE_CLOCK_BACKWARDS';
        expect(check({ ...last, ...back }, last, policy).code).toBe(code);
        expect(isLater({ ...last, ...back }, last)).toBe(false);
      }),
    );
  });
});

describe('as JSON holds it', () => {
  it('loses no bit of a u64', () => {
    const clockInfo = { clock: MAX_U64, resetCount: 0xffff_ffff, restartCount: 0, safe: false };
    const made = quoteClockOf({ clockInfo, firmwareVersion: MAX_U64 - 1n }, false);
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
    expect(made).toMatchObject({ clockMs: '18446744073709551615', firmwareVersion: 'fffffffffffffffe' });
    expect(quoteClockProblem(made)).toBeNull();
  });

  it.each([
    { clockMs: '-1' },
    { clockMs: '1e3' },
    { clockMs: '' },
    { resetCount: -1 },
    { resetCount: 2 ** 32 },
    { restartCount: 0.5 },
    { firmwareVersion: 'FFFFFFFFFFFFFFFF' },
    { firmwareVersion: '1' },
  ])('%j is none', (changes) => expect(quoteClockProblem(clock(changes))).toMatch('not one of a quote'));
});

it('says it in plain words', () => {
  expect(describeClock(base)).toBe('12, resumed 3 times since; powered for 16 min in all');
  expect(describeClock(clock({ clockMs: '90000000', safe: false }))).toContain('25 h in all, not shut down orderly');
  expect(describeClock(clock({ obfuscated: true }))).toContain('not told by this key');
  const between = (changes: Partial<QuoteClock>) => describeBetween(base, clock({ clockMs: '1000001', ...changes }));
  expect(between({})).toBe('The machine was not restarted in between.');
  expect(between({ resetCount: 13 })).toBe('The machine was restarted in between: its TPM was reset once.');
  expect(between({ restartCount: 5 })).toContain('resumed 2 times');
  expect(between({ resetCount: 1 })).toContain('it was cleared, or an old state of it was put back');
  expect(between({ obfuscated: true })).toContain('does not tell');
});
