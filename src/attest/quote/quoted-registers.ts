/** Which registers a quote covers, and their values as handed over: bank by bank, exactly those that the policy names. */
import type { TpmsQuote } from 'tpm2-ts/attest';
import { HASH_BYTES } from '../crypto/crypto.ts';
import type { Evidence } from '../evidence.ts';
import type { Failure } from '../ledger.ts';
import type { Policy, PolicyBank } from '../policy/policy.ts';

/** Values by bank and register, in the order the TPM hashes them: banks as the policy names them, registers ascending. */
export type QuotedRegisters = ReadonlyMap<PolicyBank, ReadonlyMap<number, Uint8Array>>;

type Wanted = Pick<Policy, 'banks' | 'pcrs'>;

/** The signed selection must be the one that was asked for: same banks, same order, same registers, nothing twice. */
export function selectionFailure(quote: TpmsQuote, { banks, pcrs }: Wanted): Failure | null {
  const isSame =
    quote.pcrSelect.length === banks.length &&
    quote.pcrSelect.every(({ hash, pcrs: covered }, index) => hash === banks[index] && isSameList(covered, pcrs));
  if (isSame) return null;
  const text = (selections: readonly { hash: string; pcrs: readonly number[] }[]): string =>
    selections.map((selection) => `${selection.hash}:${selection.pcrs.join(',')}`).join('+') || 'nothing';
  const wanted = text(banks.map((hash) => ({ hash, pcrs })));
  const actual = text(quote.pcrSelect);
  return {
    code: 'QUOTE_SELECTION_WRONG',
    family: 'false',
    sentence: `The quote covers ${actual}, asked for was ${wanted}.`,
    difference: { component: 'quoted registers', expected: wanted, actual },
  };
}

const isSameList = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((pcr, index) => pcr === other[index]);

/** Each value has exactly the width of its bank: 31 and 33 bytes side by side would hash the same as 32 and 32. */
export function registerValues(given: Evidence['pcrs'], { banks, pcrs }: Wanted): QuotedRegisters | Failure {
  const values = new Map<PolicyBank, ReadonlyMap<number, Uint8Array>>();
  for (const bank of banks) {
    const registers = Object.hasOwn(given, bank) ? given[bank] : undefined;
    const read = new Map<number, Uint8Array>();
    for (const index of pcrs) {
      const value = registers !== undefined && Object.hasOwn(registers, index) ? registers[index] : undefined;
      if (value === undefined || value.length !== HASH_BYTES[bank]) {
        const seen = value === undefined ? 'is missing' : `has ${value.length} bytes instead of ${HASH_BYTES[bank]}`;
        return malformedValues(`The ${bank} value of register ${index} ${seen}.`);
      }
      read.set(index, value);
    }
    if (Object.keys(registers ?? {}).length > pcrs.length) return malformedValues(UNCOVERED);
    values.set(bank, read);
  }
  return Object.keys(given).length > banks.length ? malformedValues(UNCOVERED) : values;
}

const UNCOVERED = 'There are register values that no quote covers.';

function malformedValues(sentence: string): Failure {
  return { code: 'PCR_VALUES_MALFORMED', family: 'malformed', sentence };
}
