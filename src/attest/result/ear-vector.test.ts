import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHECK_NAMES } from '../appraise.ts';
import type { TpmClass } from '../evidence.ts';
import { policyAccepting } from '../policy/policies.ts';
import { evidenceOf, type VerdictOptions, verdictOf } from '../testing/verdicts-node.ts';
import type { Verdict } from '../verdict.ts';
import { earStatus } from './ear.ts';
import { tierOf, worstSaidTier, worstTier } from './ear-tiers.ts';
import { appraisedVector, vectorOf } from './ear-vector.ts';

const good = verdictOf();
const onClass = (name: TpmClass): Verdict => ({ ...good, tpm: { ...good.tpm, class: name } });
const values = (verdict: Verdict) => vectorOf(appraisedVector(verdict));

describe('tiers of AR4SI', () => {
  it.each([
    { tier: 'none', values: [-1, 0, 1] },
    { tier: 'affirming', values: [2, 31, -2, -32] },
    { tier: 'warning', values: [32, 95, -33, -96] },
    { tier: 'contraindicated', values: [96, 127, -97, -128] },
  ])('$tier', ({ tier, values }) => {
    expect(values.map(tierOf)).toEqual(values.map(() => tier));
  });

  it('take the worst of a vector', () => {
    expect(worstTier({})).toBe('none');
    expect(worstTier({ hardware: 2, executables: 33 })).toBe('warning');
    expect(worstTier({ hardware: 2, executables: 0 })).toBe('none');
    expect(worstTier({ hardware: 99, executables: 2 })).toBe('contraindicated');
    expect(worstSaidTier({ hardware: 2, executables: 0 })).toBe('affirming');
    expect(worstSaidTier({ hardware: 33, executables: 0 })).toBe('warning');
    expect(worstSaidTier({ executables: 0, configuration: 1 })).toBe('none');
  });
});

describe('the vector of a verdict', () => {
  const all = (value: number) => ({
    'instance-identity': value,
    configuration: value,
    executables: value,
    'file-system': value,
    hardware: value,
  });
  const passed = { 'instance-identity': 2, configuration: 3, executables: 3, 'file-system': 2 };

  it.each([
    { name: 'hardware', hardware: 2, status: 'affirming' },
    { name: 'firmware', hardware: 32, status: 'warning' },
    { name: 'cloud', hardware: 32, status: 'warning' },
    { name: 'software', hardware: 96, status: 'contraindicated' },
  ] as const)('accepted on a TPM of class $name: $status', ({ name, hardware, status }) => {
    expect(values(onClass(name))).toEqual({ ...passed, hardware });
    expect(earStatus(onClass(name))).toBe(status);
  });

  it('accepted on a TPM nobody vouches for: neither instance nor hardware is recognized', () => {
    expect(values(onClass('unknown'))).toEqual({ ...passed, 'instance-identity': 97, hardware: 97 });
  });

  const altered = (field: 'signature' | 'quote' | 'claims' | 'eventLog') => {
    const bytes = Uint8Array.from(evidenceOf()[field]);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    return { evidence: { ...evidenceOf(), [field]: bytes } };
  };
  it.each<{ name: string; options: VerdictOptions; vector: object }>([
    { name: 'a forged signature', options: altered('signature'), vector: all(99) },
    { name: 'altered claims', options: altered('claims'), vector: all(99) },
    { name: 'a signature cut short', options: { evidence: { signature: new Uint8Array(3) } }, vector: all(1) },
    {
      name: 'another initrd',
      options: { boot: { initrd: 'other' } },
      vector: { 'instance-identity': 2, hardware: 96, executables: 33, 'file-system': 32, configuration: 36 },
    },
    {
      name: 'another kernel command line',
      options: { boot: { parameters: 'quiet' } },
      vector: { 'instance-identity': 2, hardware: 96, executables: 33, 'file-system': 32, configuration: 96 },
    },
    {
      name: 'Secure Boot off',
      options: { boot: { secureBoot: false } },
      vector: { 'instance-identity': 2, hardware: 96, executables: 0, 'file-system': 2, configuration: 96 },
    },
    {
      name: 'a strange kernel module',
      options: { boot: { modules: ['rootkit.ko'] } },
      vector: { 'instance-identity': 2, hardware: 96, executables: 33, 'file-system': 2, configuration: 3 },
    },
    {
      name: 'an event log that does not lead to the registers',
      options: { evidence: { eventLog: evidenceOf({ initrd: 'other' }).eventLog } },
      vector: { 'instance-identity': 2, hardware: 96, executables: 99, 'file-system': 99, configuration: 99 },
    },
    {
      name: 'a configuration that is not the measured one',
      options: { evidence: { configuration: new Uint8Array([1]) } },
      vector: { 'instance-identity': 2, hardware: 96, executables: 3, 'file-system': 2, configuration: 36 },
    },
    {
      name: 'a class the policy does not accept',
      options: { expected: { policy: policyAccepting(['hardware']) } },
      vector: { 'instance-identity': 2, hardware: 96, executables: 0, 'file-system': 0, configuration: 0 },
    },
  ])('$name', ({ options, vector }) => {
    const verdict = verdictOf(options);
    expect(verdict.status).toBe('refused');
    expect(values(verdict)).toEqual(vector);
    expect(earStatus(verdict)).toBe('contraindicated');
  });

  it('affirms nothing whose checks did not all pass, whichever checks those are', () => {
    const verdict = onClass('hardware');
    fc.assert(
      fc.property(fc.nat(verdict.checks.length - 1), fc.constantFrom('malformed', 'false', 'policy'), (at, family) => {
        const checks = verdict.checks.map((check, index) =>
          index === at
            ? { ...check, status: 'failed' as const, family, code: 'SOMETHING' }
            : index > at
              ? { ...check, status: 'not-reached' as const }
              : check,
        );
        const broken: Verdict = { ...verdict, status: 'refused', checks };
        expect(worstTier(values(broken))).not.toBe('affirming');
        expect(earStatus(broken)).toBe('contraindicated');
      }),
    );
  });

  it.each(CHECK_NAMES.filter((name) => name !== 'tpm-class'))(
    'takes something from the vector when only %s failed',
    (name) => {
      const verdict = onClass('hardware');
      for (const family of ['malformed', 'false', 'policy'] as const) {
        const checks = verdict.checks.map((check) =>
          check.name === name ? { ...check, status: 'failed' as const, family, code: 'SOMETHING' } : check,
        );
        expect(worstTier(values({ ...verdict, checks }))).not.toBe('affirming');
      }
    },
  );

  it('claims nothing from a verdict without checks', () => {
    expect(values({ ...onClass('hardware'), checks: [] })).toEqual(all(0));
  });
});
