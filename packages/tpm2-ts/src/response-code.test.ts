/** Response codes in words; the expected names are what `tpm2_rc_decode` of tpm2-tools prints. */
import { describe, expect, it } from 'vitest';
import { describeResponseCode, TpmResponseError } from './response-code.ts';

describe('describeResponseCode', () => {
  it.each([
    { rc: 0x100, name: 'TPM_RC_INITIALIZE', position: null },
    { rc: 0x143, name: 'TPM_RC_COMMAND_CODE', position: null },
    { rc: 0x921, name: 'TPM_RC_LOCKOUT', position: null },
    { rc: 0x922, name: 'TPM_RC_RETRY', position: null },
    { rc: 0x902, name: 'TPM_RC_OBJECT_MEMORY', position: null },
    { rc: 0x910, name: 'TPM_RC_REFERENCE_H0', position: null },
    { rc: 0x18b, name: 'TPM_RC_HANDLE', position: 'handle 1' },
    { rc: 0x9a2, name: 'TPM_RC_BAD_AUTH', position: 'session 1' },
    { rc: 0x98e, name: 'TPM_RC_AUTH_FAIL', position: 'session 1' },
    { rc: 0xa9d, name: 'TPM_RC_POLICY_FAIL', position: 'session 2' },
    { rc: 0x1df, name: 'TPM_RC_INTEGRITY', position: 'parameter 1' },
    { rc: 0x2c4, name: 'TPM_RC_VALUE', position: 'parameter 2' },
    { rc: 0x084, name: 'TPM_RC_VALUE', position: null },
    { rc: 0xfc4, name: 'TPM_RC_VALUE', position: 'parameter 15' },
    { rc: 0x01e, name: 'TPM_RC_BAD_TAG', position: null },
    { rc: 0x500, name: 'TPM_RC_VENDOR', position: null },
    { rc: 0x17f, name: 'TPM_RC_0x17f', position: null },
    { rc: 0x1be, name: 'TPM_RC_0x1be', position: 'handle 1' },
  ])('0x$rc is $name', ({ rc, name, position }) => {
    expect(describeResponseCode(rc)).toMatchObject({ rc, name, position });
  });

  it('names the software layer that answered instead of the TPM', () => {
    expect(describeResponseCode(0x000b_0143)).toMatchObject({
      name: 'TPM_RC_COMMAND_CODE',
      meaning: 'the command is not supported, said by the resource manager',
    });
  });

  it('has words for every number of twelve bits', () => {
    for (let rc = 1; rc < 0x1000; rc += 1) expect(describeResponseCode(rc).meaning).not.toBe('');
  });
});

it('the error says command, meaning, name and position', () => {
  expect(new TpmResponseError('TPM2_Load', describeResponseCode(0x1df)).message).toBe(
    'TPM2_Load: integrity check failed (TPM_RC_INTEGRITY, parameter 1, 0x1df)',
  );
});
