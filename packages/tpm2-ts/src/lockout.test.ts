/** How long a lockout lasts and what is said of it; a real TPM is locked out in lockout.integration.test.ts. */
import { describe, expect, it } from 'vitest';
import { type DictionaryAttackState, recoverySeconds, TpmLockoutError } from './lockout.ts';

const STATE: DictionaryAttackState = {
  failures: 32,
  maxFailures: 32,
  intervalSeconds: 600,
  lockoutRecoverySeconds: 86_400,
};

describe('recoverySeconds', () => {
  it.each([
    { name: 'just locked out', change: {}, seconds: 600 },
    { name: 'well over the limit', change: { failures: 34 }, seconds: 1800 },
    { name: 'not locked out', change: { failures: 31 }, seconds: 0 },
    { name: 'failures that are never forgotten', change: { intervalSeconds: 0 }, seconds: null },
  ])('$name: $seconds', ({ change, seconds }) => {
    expect(recoverySeconds({ ...STATE, ...change })).toBe(seconds);
  });
});

describe('TpmLockoutError', () => {
  it.each([
    { interval: 30, every: '30 seconds', wait: '60 seconds' },
    { interval: 600, every: '10 minutes', wait: '10 minutes' },
    { interval: 7200, every: '2 hours', wait: '2 hours' },
  ])('with an interval of $interval seconds says to wait $wait', ({ interval, every, wait }) => {
    const error = new TpmLockoutError('TPM2_ActivateCredential', { ...STATE, intervalSeconds: interval });
    expect(error).toMatchObject({
      code: 'TPM_LOCKED_OUT',
      message: `TPM2_ActivateCredential: the TPM is locked out, it counted 32 failures of at most 32; it forgets one every ${every}`,
      nextStep: `leave the machine on for ${wait}: it recovers by itself; do not restart it in the meantime`,
    });
  });

  it('says when waiting does not help', () => {
    const error = new TpmLockoutError('TPM2_Load', { ...STATE, intervalSeconds: 0 });
    expect(error.recoverySeconds).toBeNull();
    expect(error.nextStep).toContain('clear the TPM');
  });
});
