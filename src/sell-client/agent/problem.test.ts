/** What the seller reads of each kind of failure: advice that helps, above all not to restart a TPM that is locked out. */
import { TpmTransportError } from 'tpm2-ts/errors';
import { TpmLockoutError } from 'tpm2-ts/lockout';
import { describeResponseCode, TpmResponseError } from 'tpm2-ts/response-code';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../shared/errors.ts';
import { toProblem } from './problem.ts';

class OddError extends CodedError<'ODD'> {}
const LOCKED = { failures: 33, maxFailures: 32, intervalSeconds: 600, lockoutRecoverySeconds: 86_400 };

describe('toProblem', () => {
  it('takes over what is coded', () => {
    const error = new OddError('ODD', 'three legs', { nextStep: 'count again' });
    expect(toProblem(error)).toEqual({ code: 'ODD', message: 'three legs', nextStep: 'count again' });
  });

  it('says how long a locked out TPM needs, and not to restart it', () => {
    const problem = toProblem(new TpmLockoutError('TPM2_ActivateCredential', LOCKED));
    expect(problem.code).toBe('TPM_LOCKED_OUT');
    expect(problem.nextStep).toBe(
      'leave the machine on for 20 minutes: it recovers by itself; do not restart it in the meantime',
    );
  });

  it('does not advise a restart either where the TPM says no more than that it is locked out', () => {
    const problem = toProblem(new TpmResponseError('TPM2_NV_Read', describeResponseCode(0x921)));
    expect(problem.code).toBe('TPM_LOCKED_OUT');
    expect(problem.nextStep).toContain('do not restart');
  });

  it.each([
    { name: 'a refusal', error: new TpmResponseError('TPM2_Quote', describeResponseCode(0x101)) },
    { name: 'a broken connection', error: new TpmTransportError('IO_FAILED', 'gone') },
  ])('$name is of the TPM, and tried again', ({ error }) => {
    expect(toProblem(error)).toMatchObject({
      code: 'TPM_FAILED',
      message: `the TPM: ${error.message}`,
      nextStep: expect.stringContaining('tried again'),
    });
  });

  it('anything else is our own fault and says so', () => {
    expect(toProblem(new RangeError('off by one'))).toMatchObject({ code: 'CLIENT_FAULT', message: 'off by one' });
    expect(toProblem('text')).toMatchObject({ code: 'CLIENT_FAULT', message: 'text' });
  });
});
