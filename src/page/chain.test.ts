/** The picture never shows more green than the verdict has reasons for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../test/fixtures/load.ts';
import { appraise, CHECK_NAMES } from '../attest/appraise.ts';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import type { Check, Verdict } from '../attest/verdict.ts';
import { chainsOf, type Link } from './chain.ts';

const fixture = loadFixture('p256');
const good = appraise(fixture.report.evidence, fixture.expected(), nodeAttestCrypto);
const linksOf = (verdict: Verdict): readonly Link[] => Object.values(chainsOf(verdict)).flat();
const states = (verdict: Verdict) => Object.fromEntries(linksOf(verdict).map(({ id, state }) => [id, state]));

/** The good verdict, with one check failed and all later ones not reached. */
function failedAt(name: string, difference?: Check['difference']): Verdict {
  const at = good.checks.findIndex((check) => check.name === name);
  const checks = good.checks.map((check, index): Check => {
    if (index < at) return check;
    if (index > at) return { name: check.name, status: 'not-reached', sentence: 'Not reached.' };
    const failed = { name, status: 'failed', code: 'X', family: 'policy', sentence: `${name} failed.` } as const;
    return difference === undefined ? failed : { ...failed, difference };
  });
  const pcrs = good.pcrs.map((pcr) => ({ ...pcr, basis: 'differs' as const }));
  return { ...good, status: 'refused', checks, pcrs: name === 'image' ? pcrs : [] };
}

describe('the chains', () => {
  it('are green for an accepted report', () => {
    expect(good.status).toBe('accepted');
    expect(new Set(Object.values(states(good)))).toEqual(new Set(['good']));
  });

  it.each(CHECK_NAMES)('are red somewhere when %s failed', (name) => {
    expect(Object.values(states(failedAt(name)))).toContain('bad');
  });

  it('are red at the quote when its clock went back', () => {
    expect(states(failedAt('quote-clock'))).toMatchObject({ quote: 'bad', ak: 'good', firmware: 'open' });
  });

  it('are red at the firmware for a check that is newer than the picture', () => {
    const check = { name: 'brand-new', status: 'failed', code: 'X', sentence: 'It failed.' } as const;
    expect(states({ ...good, checks: [...good.checks, check] }).firmware).toBe('bad');
  });

  it.each([
    ['shim', 'shim'],
    ['MOK list', 'shim'],
    ['GRUB', 'grub'],
    ['GRUB command', 'grub'],
    ['grub.cfg', 'grub'],
    ['kernel', 'kernel'],
    ['kernel command line', 'kernel'],
    ['initrd', 'image'],
    ['measurement in register 9', 'image'],
  ])('are red where it differs: %s at %s, and nothing after it is green', (component, id) => {
    const found = states(failedAt('image', { component, expected: 'a', actual: 'b' }));
    expect(found[id]).toBe('bad');
    const own = ['shim', 'grub', 'kernel', 'image'].map((each) => found[each]);
    expect(own).not.toContain('good');
    expect(found.firmware).toBe('good');
  });

  it('show nothing of a refused report as running as expected when modules are not the image’s own', () => {
    expect(states(failedAt('kernel-modules'))).toMatchObject({ image: 'bad' });
  });

  it('are all green only when every check passed', () => {
    const status = fc.constantFrom('passed', 'failed', 'not-reached' as const);
    fc.assert(
      fc.property(fc.array(status, { minLength: CHECK_NAMES.length, maxLength: CHECK_NAMES.length }), (drawn) => {
        const checks = good.checks.map((check, index): Check => {
          const each = drawn[index] ?? 'passed';
          return each === 'failed' ? { ...check, status: each, code: 'X' } : { ...check, status: each as 'passed' };
        });
        const all = Object.values(states({ ...good, checks }));
        expect(all.every((state) => state === 'good')).toBe(drawn.every((each) => each === 'passed'));
        expect(all.includes('bad')).toBe(drawn.includes('failed'));
      }),
    );
  });
});
