/** Explaining must survive whatever a machine writes into its log: a coded error or an explanation, never a crash. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { LogError } from '../event-log/little-endian.ts';
import { GOOD_BOOT, referenceValuesOf } from '../testing/boot-node.ts';
import { evidenceOf } from '../testing/verdicts-node.ts';
import { explain } from './explain.ts';
import { readBoot } from './read-boot.ts';
import { renderExplanation } from './render.ts';

const good = evidenceOf();
const references = [referenceValuesOf(GOOD_BOOT)];
const earlier = readBoot(good, nodeAttestCrypto);

/** The log with some bytes overwritten, and perhaps a piece cut out. */
const mutated = fc
  .record({
    bytes: fc.array(fc.tuple(fc.nat(good.eventLog.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
    cut: fc.option(fc.tuple(fc.nat(good.eventLog.length), fc.nat(400)), { nil: null }),
  })
  .map(({ bytes, cut }) => {
    const log = Uint8Array.from(good.eventLog);
    for (const [at, value] of bytes) log[at] = value;
    return cut === null ? log : Uint8Array.from([...log.subarray(0, cut[0]), ...log.subarray(cut[0] + cut[1])]);
  });

function explained(eventLog: Uint8Array): string {
  try {
    const boot = readBoot({ ...good, eventLog }, nodeAttestCrypto);
    return renderExplanation(explain(boot, { references, earlier }), { all: true });
  } catch (error) {
    expect(error).toBeInstanceOf(LogError);
    return '';
  }
}

describe('a log that a machine made up', () => {
  it('is explained or refused with a code, and never repaints the terminal', () => {
    fc.assert(
      fc.property(mutated, (log) => {
        expect(explained(log).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 300 },
    );
  });

  it('may be anything', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (log) => void explained(log)));
  });

  it('is never called the expected one when a register says otherwise', () => {
    const boot = readBoot(good, nodeAttestCrypto);
    for (const index of [4, 8, 9, 14]) {
      const pcrs = new Map([...boot.pcrs, [index, new Uint8Array(32).fill(0x5a)]]);
      const { registers } = explain({ ...boot, pcrs }, { references, earlier });
      expect(registers[index]?.state).toBe('unexplained');
    }
  });
});
