/**
 * Did the TPM go on from where it was last seen? A TPM whose state was put back, or whose firmware was, cannot show higher
 * counters than it had. Pure.
 */
import type { Failure, Ledger } from '../ledger.ts';
import type { ClockPolicy } from '../policy/policy.ts';
import { type QuoteClock, wentBack } from './quote-clock.ts';

/** True when nothing is wrong with it, or the policy overlooks what is. `last`: the newest clock known of this TPM, or null. */
export function judgeQuoteClock(
  now: QuoteClock,
  last: QuoteClock | null,
  policy: ClockPolicy,
  ledger: Pick<Ledger, 'pass' | 'fail'>,
): boolean {
  const findings = clockFindings(now, last);
  const refused = findings.find(({ rule }) => policy[rule] === 'refuse');
  if (refused !== undefined) {
    ledger.fail('quote-clock', refused.failure);
    return false;
  }
  const overlooked = findings.map(({ failure }) => ` Overlooked by the policy: ${failure.sentence}`).join('');
  ledger.pass('quote-clock', `${continuity(last, findings.length === 0)}${overlooked}`);
  return true;
}

export interface ClockFinding {
  readonly rule: keyof ClockPolicy;
  readonly failure: Failure;
}

/** All that speaks against it, the worst first; what of it is refused is the policy's word. */
export function clockFindings(now: QuoteClock, last: QuoteClock | null): readonly ClockFinding[] {
  const back = last === null ? null : wentBack(now, last);
  const rolledBack = last !== null && firmwareFell(now, last);
  return [
    ...(back === null ? [] : [finding('backwards', 'QUOTE_CLOCK_BACKWARDS', back)]),
    ...(rolledBack
      ? [
          finding(
            'firmwareRollback',
            'TPM_FIRMWARE_ROLLED_BACK',
            `The TPM's firmware is ${now.firmwareVersion}, and was ${last.firmwareVersion} before.`,
          ),
        ]
      : []),
    ...(now.safe
      ? []
      : [
          finding(
            'unsafe',
            'QUOTE_CLOCK_UNSAFE',
            'The TPM lost power without an orderly shutdown and says that its clock may have gone back.',
          ),
        ]),
  ];
}

const finding = (rule: keyof ClockPolicy, code: Failure['code'], sentence: string): ClockFinding => ({
  rule,
  failure: { code, family: 'policy', sentence },
});

function firmwareFell(now: QuoteClock, last: QuoteClock): boolean {
  if (now.obfuscated || last.obfuscated) return false;
  return BigInt(`0x${now.firmwareVersion}`) < BigInt(`0x${last.firmwareVersion}`);
}

function continuity(last: QuoteClock | null, sound: boolean): string {
  if (last === null) return 'No earlier clock of this TPM is known, so nothing is said about what it went through.';
  return sound ? "The TPM's counters went on from the last known ones." : "The TPM's counters were compared.";
}
