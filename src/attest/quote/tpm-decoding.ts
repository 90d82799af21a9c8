/** TPM structures that cannot be read, as the verdict says it. */
import { TpmCodecError, TpmKeyError } from 'tpm2-ts/errors';
import type { Failure } from '../ledger.ts';
import type { RefusalCode } from '../refusal-codes.ts';

export function suffix(error: unknown): 'TRUNCATED' | 'TRAILING_BYTES' | 'MALFORMED' {
  const code = error instanceof TpmCodecError ? error.code : '';
  return code === 'TRUNCATED' || code === 'TRAILING_BYTES' ? code : 'MALFORMED';
}

export function malformed(code: RefusalCode, what: string, error: unknown): Failure {
  if (!(error instanceof TpmCodecError || error instanceof TpmKeyError)) throw error;
  return { code, family: 'malformed', sentence: `${what}: ${error.message}.` };
}
