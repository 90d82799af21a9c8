/** EK templates: their policies computed from the profile's own definitions, and what each key is. */
import { describe, expect, it } from 'vitest';
import { decode, encode } from './codec.ts';
import { HASH_SIZES, RH } from './constants.ts';
import { nodeDigest } from './digest-node.ts';
import { handleName, nvName } from './name.ts';
import { nvAttributes, tpmsNvPublic } from './nv.ts';
import { policyDigest } from './policy-digest.ts';
import { tpmtPublic } from './public-area.ts';
import { akTemplate, EK_TEMPLATES } from './templates.ts';
import { hex, toHex } from './testing/vectors.ts';

const NONE = decode(nvAttributes, new Uint8Array(4));
const READABLE_BY_ALL = { ppRead: true, ownerRead: true, authRead: true, policyRead: true };
/** The policy indexes I-1 to I-3 of the EK Credential Profile: written once by who knows PolicyA, readable by all. */
const POLICY_INDEX = {
  ...NONE,
  ...READABLE_BY_ALL,
  policyWrite: true,
  writeAll: true,
  noDa: true,
  written: true,
};

describe.each([
  { hash: 'sha256', index: 0x01c0_7f01, kinds: ['rsaHigh', 'eccHigh'] },
  { hash: 'sha384', index: 0x01c0_7f02, kinds: ['ecc384High', 'rsa3072High', 'rsa4096High'] },
  { hash: 'sha512', index: 0x01c0_7f03, kinds: ['ecc521High'] },
] as const)('the policies with $hash', ({ hash, index, kinds }) => {
  const policyA = policyDigest(hash, [{ kind: 'secret', name: handleName(RH.endorsement) }], nodeDigest);
  const nvPublic = encode(tpmsNvPublic, {
    nvIndex: index,
    nameAlg: hash,
    attributes: POLICY_INDEX,
    authPolicy: policyA,
    dataSize: 2 + HASH_SIZES[hash],
  });
  const policyC = policyDigest(hash, [{ kind: 'authorizeNv', nvName: nvName(nvPublic, nodeDigest) }], nodeDigest);

  it('PolicyB is PolicyOR of PolicySecret(endorsement) and PolicyAuthorizeNV', () => {
    const policyB = policyDigest(hash, [{ kind: 'or', branches: [policyA, policyC] }], nodeDigest);
    for (const kind of kinds) expect(toHex(EK_TEMPLATES[kind].authPolicy), kind).toBe(toHex(policyB));
  });

  it('PolicyA is that of the low range', () => {
    if (hash !== 'sha256') return;
    for (const kind of ['rsa', 'ecc'] as const) {
      expect(toHex(EK_TEMPLATES[kind].authPolicy), kind).toBe(toHex(policyA));
    }
  });
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
