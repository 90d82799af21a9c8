import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EK_QUIRKS, quirkSentence } from '../endorsement/ek-quirks.ts';
import { policyAccepting } from '../policy/policies.ts';
import { TPM_CLASSES } from '../policy/policy.ts';
import { limitsOf, weaknessesOf } from './limits.ts';

/** Headings as GitHub turns them into anchors. */
const anchors = [...readFileSync(new URL('../../../SECURITY.md', import.meta.url), 'utf8').matchAll(/^#+ (.*)$/gm)].map(
  ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
);

describe('weaknesses', () => {
  it.each(TPM_CLASSES)('of class %s are named, each with its place in SECURITY.md', (tpmClass) => {
    const weaknesses = weaknessesOf(tpmClass, ['sha1-signature']);
    expect(weaknesses.length).toBeGreaterThan(1);
    for (const { sentence, link } of weaknesses) {
      expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(anchors).toContain(link.replace(/^SECURITY\.md#/, ''));
    }
  });

  it('of SHA-1 are named only where SHA-1 is', () => {
    expect(weaknessesOf('hardware', ['nv-padding']).some(({ link }) => link.includes('sha-1'))).toBe(false);
  });

  const activation = { kind: 'witnessed', ekName: '', akName: '' } as const;
  const policy = policyAccepting(['hardware']);

  it('are among the limits of every verdict', () => {
    for (const tpmClass of TPM_CLASSES) expect(limitsOf(tpmClass, { activation, policy })[0]).toMatch(/TPM/);
  });

  it('name Secure Boot keys that any owner may enrol, unless the policy says whose they are', () => {
    const named = { ...policy, secureBoot: { ...policy.secureBoot, allowedAuthorities: ['Debian Secure Boot CA'] } };
    expect(limitsOf('hardware', { activation, policy }).join(' ')).toContain('enrol keys');
    expect(limitsOf('hardware', { activation, policy: named }).join(' ')).not.toContain('enrol keys');
  });
});

it('each quirk has a sentence', () => {
  for (const sentence of Object.values(EK_QUIRKS)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  expect(quirkSentence('nv-padding')).toBe(EK_QUIRKS['nv-padding']);
  expect(quirkSentence('another')).toBe('another');
});
