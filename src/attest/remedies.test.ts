import { describe, expect, it } from 'vitest';
import { newLedger } from './ledger.ts';
import { REMEDIES } from './remedies.ts';
import { verdictOf } from './testing/verdicts-node.ts';

describe('a failed check', () => {
  it('has the general remedy of its code', () => {
    const ledger = newLedger(['keys']);
    ledger.fail('keys', { code: 'AK_PUBLIC_MALFORMED', family: 'malformed', sentence: 'x' });
    expect(ledger.checks()[0]?.remedy).toBe(REMEDIES.AK_PUBLIC_MALFORMED);
  });

  it('has the special one where its stage knows more', () => {
    const ledger = newLedger(['keys']);
    ledger.fail('keys', { code: 'AK_PUBLIC_MALFORMED', family: 'malformed', sentence: 'x', remedy: 'special' });
    expect(ledger.checks()[0]?.remedy).toBe('special');
  });

  it.each([
    { evidence: { quote: new Uint8Array() } },
    { evidence: { signature: new Uint8Array() } },
    { evidence: { claims: new Uint8Array() } },
    { evidence: { eventLog: new Uint8Array() } },
    { evidence: { imaLog: new Uint8Array() } },
    { boot: { modules: ['stranger.ko'] } },
    { boot: { secureBoot: false } },
  ])('of %j comes with code, sentence and remedy', (options) => {
    const failed = verdictOf(options).checks.filter(({ status }) => status === 'failed');
    expect(failed.length).toBeGreaterThan(0);
    for (const { code, sentence, remedy } of failed) {
      expect(code).toMatch(/^[A-Z0-9_]+$/);
      expect(sentence).toMatch(/\.$/);
      expect(remedy).toMatch(/\.$/);
    }
  });
});

it('every remedy is one sentence or two, and ends as one', () => {
  expect(Object.values(REMEDIES).filter((remedy) => !/^[A-Z].{10,200}\.$/.test(remedy))).toEqual([]);
});
