import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PcrBank } from '../tpm/machine-tpm.ts';
import { measureConfiguration } from './measure.ts';

const sha256 = (...parts: Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const file = new TextEncoder().encode('{}');
const zeros = new Uint8Array(32);
const expected = sha256(zeros, sha256(file));

/** A register as Part 1 §11.4.6 defines it. */
function register(value: Uint8Array = zeros, extends_ = true) {
  let current = value;
  let extensions = 0;
  const bank: PcrBank = {
    read: async () => current,
    extend: async (_, digest) => {
      extensions += 1;
      if (extends_) current = sha256(current, digest);
    },
  };
  return { bank, value: () => current, extensions: () => extensions };
}

describe('measureConfiguration', () => {
  it('extends a fresh register once, however often it is asked', async () => {
    const pcr = register();
    expect(await measureConfiguration(file, pcr.bank)).toBe('measured');
    expect(await measureConfiguration(file, pcr.bank)).toBe('already measured');
    expect(Buffer.from(pcr.value())).toEqual(expected);
    expect(pcr.extensions()).toBe(1);
  });

  it('refuses a register that holds something else, and leaves it alone', async () => {
    const pcr = register(new Uint8Array(32).fill(7));
    await expect(measureConfiguration(file, pcr.bank)).rejects.toMatchObject({ code: 'CONFIGURATION_PCR_TAKEN' });
    expect(pcr.extensions()).toBe(0);
  });

  it('does not believe a TPM that took the command and changed nothing', async () => {
    await expect(measureConfiguration(file, register(zeros, false).bank)).rejects.toMatchObject({
      code: 'CONFIGURATION_PCR_TAKEN',
    });
  });
});
