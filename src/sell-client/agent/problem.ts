/** Any failure as the seller reads it. What is not coded is our own fault and says so. */
import { CodedError } from '../../shared/errors.ts';
import type { Problem } from './state.ts';

export function toProblem(error: unknown): Problem {
  if (error instanceof CodedError) return { code: error.code, message: error.message, nextStep: error.nextStep };
  if (error instanceof Error && error.name.startsWith('Tpm')) {
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
