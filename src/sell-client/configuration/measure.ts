/** The configuration's measurement: its SHA-256 goes into a register of its own, once per boot, before it is used. */
import { createHash } from 'node:crypto';
import { CONFIGURATION_PCR } from '../../attest/evidence.ts';
import { equalBytes, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { PcrBank } from '../tpm/machine-tpm.ts';

export class MeasureError extends CodedError<'CONFIGURATION_PCR_TAKEN'> {}

/**
 * The register itself tells whether this was done before (by a run of this program that ended), so doing it twice, or
 * being killed in between, leaves it right. @throws MeasureError when it holds anything else
 */
export async function measureConfiguration(file: Uint8Array, bank: PcrBank): Promise<'measured' | 'already measured'> {
  const digest = createHash('sha256').update(file).digest();
  const expected = createHash('sha256').update(new Uint8Array(32)).update(digest).digest();
  const before = await bank.read(CONFIGURATION_PCR);
  if (equalBytes(before, expected)) return 'already measured';
  if (before.some((byte) => byte !== 0)) throw taken(before);
  await bank.extend(CONFIGURATION_PCR, digest);
  const after = await bank.read(CONFIGURATION_PCR);
  if (!equalBytes(after, expected)) throw taken(after);
  return 'measured';
}

function taken(value: Uint8Array): MeasureError {
  return new MeasureError(
    'CONFIGURATION_PCR_TAKEN',
    `TPM register ${CONFIGURATION_PCR} already holds ${toHex(value).slice(0, 16)}…, not this configuration`,
    { nextStep: 'restart the machine with one configuration volume plugged in' },
  );
}
