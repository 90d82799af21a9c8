/** Whose report it is: the machine's id is SHA-256 of its EK's Name, so a report must not carry the id of another machine. */
import { type Digest, objectName } from 'tpm2-ts/name';
import { type AttestCrypto, isHashName } from '../attest/crypto/crypto.ts';
import { toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';
import type { Report } from './report-document.ts';

export class ReportMachineError extends CodedError<'REPORT_MACHINE_MISMATCH'> {}

/** An EK that cannot be read is judged later. @throws ReportMachineError */
export function requireOwnMachineId(
  { machineId, evidence }: Pick<Report, 'machineId' | 'evidence'>,
  crypto: Pick<AttestCrypto, 'hash'>,
): void {
  const digest: Digest = (name, data) => {
    if (isHashName(name)) return crypto.hash(name, data);
    throw new Error(`${name} is no hash that is judged here`);
  };
  let ekName: Uint8Array;
  try {
    ekName = objectName(evidence.ekPublic, digest);
  } catch {
    return;
  }
  const actual = toHex(crypto.hash('sha256', ekName));
  if (actual === machineId) return;
  throw new ReportMachineError(
    'REPORT_MACHINE_MISMATCH',
    `the report is headed machine ${machineId}, its evidence is of machine ${actual}`,
  );
}
