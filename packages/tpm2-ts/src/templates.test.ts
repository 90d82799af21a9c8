/** EK templates: their policies computed from the profile's own definitions, and what each key is. */
import { describe, expect, it } from 'vitest';
import { decode, encode } from './codec.ts';
import { nodeDigest } from './digest-node.ts';
import { ekPolicies } from './ek-policy.ts';
import { tpmtPublic } from './public-area.ts';
import { akTemplate, EK_TEMPLATES } from './templates.ts';
import { hex, toHex } from './testing/vectors.ts';

describe.each([
  { hash: 'sha256', low: ['rsa', 'ecc'], high: ['rsaHigh', 'eccHigh'] },
  { hash: 'sha384', low: [], high: ['ecc384High', 'rsa3072High', 'rsa4096High'] },
  { hash: 'sha512', low: [], high: ['ecc521High'] },
] as const)('the policies with $hash', ({ hash, low, high }) => {
  const policies = ekPolicies(hash, nodeDigest);

  it.each(low)('%s has PolicyA', (kind) => {
    expect(toHex(EK_TEMPLATES[kind].authPolicy)).toBe(toHex(policies?.a ?? hex('')));
  });

  it.each(high)('%s has PolicyB', (kind) => {
    expect(toHex(EK_TEMPLATES[kind].authPolicy)).toBe(toHex(policies?.b ?? hex('')));
  });
});

it('there are no EK policies with SHA-1', () => {
  expect(ekPolicies('sha1', nodeDigest)).toBeUndefined();
});

describe('EK templates', () => {
  it.each([
    { kind: 'rsa', nameAlg: 'sha256', key: { keyBits: 2048 }, aes: 128, userWithAuth: false },
    { kind: 'ecc', nameAlg: 'sha256', key: { curve: 'p256' }, aes: 128, userWithAuth: false },
    { kind: 'rsaHigh', nameAlg: 'sha256', key: { keyBits: 2048 }, aes: 128, userWithAuth: true },
    { kind: 'eccHigh', nameAlg: 'sha256', key: { curve: 'p256' }, aes: 128, userWithAuth: true },
    { kind: 'ecc384High', nameAlg: 'sha384', key: { curve: 'p384' }, aes: 256, userWithAuth: true },
    { kind: 'ecc521High', nameAlg: 'sha512', key: { curve: 'p521' }, aes: 256, userWithAuth: true },
    { kind: 'rsa3072High', nameAlg: 'sha384', key: { keyBits: 3072 }, aes: 256, userWithAuth: true },
    { kind: 'rsa4096High', nameAlg: 'sha384', key: { keyBits: 4096 }, aes: 256, userWithAuth: true },
  ] as const)('$kind', ({ kind, nameAlg, key, aes, userWithAuth }) => {
    const template = EK_TEMPLATES[kind];
    expect(decode(tpmtPublic, encode(tpmtPublic, template))).toEqual(template);
    expect(template).toMatchObject({
      nameAlg,
      ...key,
      symmetric: { algorithm: 'aes', keyBits: aes, mode: 'cfb' },
      scheme: { algorithm: 'null' },
    });
    const set = Object.entries(template.attributes).flatMap(([name, value]) => (value ? [name] : []));
    const storage = ['fixedTpm', 'fixedParent', 'sensitiveDataOrigin', 'adminWithPolicy', 'restricted', 'decrypt'];
    expect(set.sort()).toEqual([...storage, ...(userWithAuth ? ['userWithAuth'] : [])].sort());
  });
});

describe('AK templates', () => {
  it.each(['ecc', 'rsa'] as const)('%s: restricted, signing only, and bound to its TPM', (kind) => {
    expect(akTemplate(kind, 'label').attributes).toMatchObject({
      fixedTpm: true,
      fixedParent: true,
      sensitiveDataOrigin: true,
      restricted: true,
      signEncrypt: true,
      decrypt: false,
    });
  });

  it('takes a label of 32 bytes and not of 33', () => {
    expect(akTemplate('rsa', 'x'.repeat(32))).toMatchObject({ unique: hex('78'.repeat(32)) });
    expect(() => akTemplate('rsa', 'x'.repeat(33))).toThrow(RangeError);
  });
});
