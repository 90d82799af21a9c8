/** Any failure as the seller reads it. What is not coded is our own fault and says so. */
import { TpmLockoutError } from 'tpm2-ts/lockout';
import { RC_LOCKOUT, TpmResponseError } from 'tpm2-ts/response-code';
import { CodedError } from '../../shared/errors.ts';
import type { Problem } from './state.ts';

/** The package's own classes are `Tpm…Error`; a refusal bears the name of the TPM's response code. */
const TPM_ERROR_NAME = /^(Tpm|TPM_RC_)/;

export function toProblem(error: unknown): Problem {
  if (error instanceof CodedError) return { code: error.code, message: error.message, nextStep: error.nextStep };
  if (error instanceof TpmLockoutError) {
    return { code: 'TPM_LOCKED_OUT', message: error.message, nextStep: error.nextStep };
  }
  if (error instanceof TpmResponseError && error.rc === RC_LOCKOUT) {
    const nextStep = 'leave the machine on: it recovers by itself within hours; do not restart it in the meantime';
    return { code: 'TPM_LOCKED_OUT', message: error.message, nextStep };
  }
  if (error instanceof Error && TPM_ERROR_NAME.test(error.name)) {
    return {
      code: 'TPM_FAILED',
      message: `the TPM: ${error.message}`,
      nextStep: 'it is tried again by itself; switch the machine off and on if this stays',
    };
  }
  return {
    code: 'CLIENT_FAULT',
    message: error instanceof Error ? error.message : String(error),
    nextStep: 'restart the machine; report this code if it returns',
  };
}
