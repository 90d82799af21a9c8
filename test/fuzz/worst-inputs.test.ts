/** The dearest inputs known: each ends in a verdict or a code, within 100 ms for 100 KB and bounded memory. */
import { describe, expect, it } from 'vitest';
import { judgeInput } from '../../src/cli/fuzz/judge.ts';
import { worstInputs } from '../../src/cli/fuzz/worst-inputs.ts';

const inputs = worstInputs();

describe('the dearest inputs', () => {
  it('are as large as the documents let through', () => {
    expect(Math.max(...inputs.map(({ bytes }) => bytes))).toBeGreaterThan(4_000_000);
    expect(inputs.filter(({ bytes }) => bytes > 1_000_000).length).toBeGreaterThan(8);
  });

  it.each(inputs.map((input) => [input.name, input] as const))(
    '%s',
    { timeout: 120_000 },
    async (name, { bytes, run }) => {
      const target = { name, shape: 'bytes', seeds: [], maxBytes: bytes, baseMs: 40, run } as const;
      // the input is made already; only its size counts here
      expect(await judgeInput(target, new Uint8Array(bytes))).toBeNull();
    },
  );
});
