import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import type { TpmClass } from '../evidence.ts';
import { challenge, verdictOf } from '../testing/verdicts-node.ts';
import type { Verdict } from '../verdict.ts';
import { type EarContext, earClaims } from './ear.ts';
import { policyId } from './ear-policy-id.ts';
import { EarError, readEarClaims } from './ear-read.ts';
import { TIERS, VECTOR_CLAIMS, worstSaidTier } from './ear-tiers.ts';
import { appraisedVector, vectorOf } from './ear-vector.ts';

const context: EarContext = {
  verifier: { developer: 'cpushare-live', build: 'cpushare 0.1.0' },
  issuedAt: new Date('2026-11-21T05:00:00.900Z'),
  expiresAt: new Date('2026-11-21T05:20:00Z'),
  challenge,
  machineId: 'ab'.repeat(32),
  referenceIds: ['cd'.repeat(32)],
  policyId: 'ni:///sha-256;x',
  sessionKeySha256: 'ef'.repeat(32),
};
const now = { time: new Date('2026-11-21T05:01:00Z') };
const good = verdictOf();
const onClass = (name: TpmClass): Verdict => ({ ...good, tpm: { ...good.tpm, class: name } });
const values = (verdict: Verdict) => vectorOf(appraisedVector(verdict));

describe('EAR claims', () => {
  it('have the names and forms of the draft', () => {
    const claims = earClaims(good, {
      ...context,
      rawEvidence: { mediaType: 'application/json', content: new Uint8Array([251, 255]) },
    });
    expect(claims).toMatchObject({
      eat_profile: 'tag:ietf.org,2026:rats/ear#04',
      iat: 1795237200,
      exp: 1795238400,
      ear_verifier_id: { developer: 'cpushare-live', build: 'cpushare 0.1.0' },
      ear_raw_evidence: ['application/json', '-_8'],
      submods: {
        machine: {
          ear_status: 'contraindicated',
          ear_appraisal_policy_ids: ['ni:///sha-256;x'],
          ear_attester_claims: { accelerator: { name: 'tcg' } },
          ear_verifier_claims: { verdict: 'accepted', image: { version: '0.1.0' }, tpm: { class: 'software' } },
        },
      },
    });
    expect(claims.eat_nonce).toHaveLength(43);
    expect(Buffer.from(claims.eat_nonce, 'base64url')).toEqual(Buffer.from(challenge));
  });

  it('carry what the machine says of itself only when it was proven', () => {
    const verdict = verdictOf({ evidence: { claims: new Uint8Array([1]) } });
    expect(earClaims(verdict, context).submods.machine.ear_attester_claims).toBeUndefined();
  });

  it('are read back as they were written', () => {
    const result = readEarClaims(JSON.parse(JSON.stringify(earClaims(good, context))), now);
    expect(result).toMatchObject({
      issuedAt: new Date('2026-11-21T05:00:00Z'),
      expiresAt: context.expiresAt,
      verifier: context.verifier,
      carriesEvidence: false,
      submodules: { machine: { status: 'contraindicated', vector: values(good), policyIds: [context.policyId] } },
    });
    expect(result.submodules.machine?.verifierClaims.checks).toEqual(good.checks);
  });
});

describe('reading claims', () => {
  const claims = (changes: object = {}): unknown => ({ ...earClaims(onClass('hardware'), context), ...changes });
  const submods = (changes: object) => ({
    submods: { machine: { ...earClaims(onClass('hardware'), context).submods.machine, ...changes } },
  });

  it('understands the dotted names of older verifiers', () => {
    const old = {
      eat_profile: 'tag:github.com,2023:veraison/ear',
      iat: 1795237200,
      exp: 1795238400,
      eat_nonce: ['bm9uY2Vub25jZQ', 'bm9uY2Vub25jZTI'],
      'ear.verifier-id': { build: 'vts 0.0.1', developer: 'https://veraison-project.org' },
      'ear.raw-evidence': 'NzQ3MjY5NzM2NTYzNzQK',
      submods: {
        TPM: {
          'ear.status': 'warning',
          'ear.trustworthiness-vector': { 'instance-identity': 2, executables: 33, 'file-system': 0 },
          'ear.appraisal-policy-id': 'policy:1',
          'ear.veraison.annotated-evidence': { a: 1 },
          'ear.veraison.policy-claims': { b: 2 },
        },
      },
    };
    // `file-system` 0 is as good as absent, and these verifiers always write all eight
    expect(readEarClaims(old, now)).toMatchObject({
      nonces: ['bm9uY2Vub25jZQ', 'bm9uY2Vub25jZTI'],
      verifier: { build: 'vts 0.0.1' },
      carriesEvidence: true,
      submodules: {
        TPM: {
          status: 'warning',
          vector: { executables: 33 },
          policyIds: ['policy:1'],
          attesterClaims: { a: 1 },
          verifierClaims: { b: 2 },
        },
      },
    });
  });

  it('does not take dotted names under the profile of the draft', () => {
    const mixed = { submods: { machine: { 'ear.status': 'affirming' } } };
    expect(() => readEarClaims(claims(mixed), now)).toThrow(expect.objectContaining({ code: 'EAR_MALFORMED' }));
  });

  it('accepts an age in place of an expiry only where it is named', () => {
    const never = claims({ exp: undefined });
    expect(readEarClaims(never, { ...now, maxAgeWithoutExpiryMs: 120_000 }).expiresAt).toBeNull();
    expect(() => readEarClaims(never, { ...now, maxAgeWithoutExpiryMs: 30_000 })).toThrow(
      expect.objectContaining({ code: 'EAR_EXPIRED' }),
    );
  });

  it.each([
    {
      name: 'another profile',
      value: claims({ eat_profile: 'tag:ietf.org,2026:rats/ear#05' }),
      code: 'EAR_PROFILE_UNKNOWN',
    },
    { name: 'a profile of Object', value: claims({ eat_profile: 'constructor' }), code: 'EAR_PROFILE_UNKNOWN' },
    { name: 'no profile', value: claims({ eat_profile: undefined }), code: 'EAR_MALFORMED' },
    { name: 'expired at its second', value: claims({ exp: 1795237260 }), code: 'EAR_EXPIRED' },
    { name: 'no expiry', value: claims({ exp: undefined }), code: 'EAR_EXPIRY_MISSING' },
    { name: 'an expiry in words', value: claims({ exp: '2030' }), code: 'EAR_MALFORMED' },
    { name: 'half a second', value: claims({ iat: 1795237200.5 }), code: 'EAR_MALFORMED' },
    { name: 'a time beyond all dates', value: claims({ exp: 1e16 }), code: 'EAR_MALFORMED' },
    { name: 'from the future', value: claims({ iat: 1795237400 }), code: 'EAR_NOT_YET_VALID' },
    { name: 'not before tomorrow', value: claims({ nbf: 1795320000 }), code: 'EAR_NOT_YET_VALID' },
    { name: 'no submodule', value: claims({ submods: {} }), code: 'EAR_MALFORMED' },
    { name: 'a list of submodules', value: claims({ submods: [] }), code: 'EAR_MALFORMED' },
    { name: 'an unknown status', value: claims(submods({ ear_status: 'fine' })), code: 'EAR_MALFORMED' },
    {
      name: 'a claim beyond its range',
      value: claims(submods({ ear_trustworthiness_vector: { hardware: 128 } })),
      code: 'EAR_MALFORMED',
    },
    {
      name: 'affirming without any claim that says something',
      value: claims(submods({ ear_trustworthiness_vector: { hardware: 0 } })),
      code: 'EAR_STATUS_INCONSISTENT',
    },
    {
      name: 'a status better than the worst claim',
      value: claims(submods({ ear_trustworthiness_vector: { hardware: 2, executables: 33 } })),
      code: 'EAR_STATUS_INCONSISTENT',
    },
    { name: 'null', value: null, code: 'EAR_MALFORMED' },
    { name: 'a list', value: [], code: 'EAR_MALFORMED' },
    { name: 'text', value: 'x', code: 'EAR_MALFORMED' },
  ])('refuses $name', ({ value, code }) => {
    expect(() => readEarClaims(value, now)).toThrow(expect.objectContaining({ code }));
  });

  it('compares the nonce when it is told one', () => {
    const nonce = earClaims(good, context).eat_nonce;
    expect(readEarClaims(claims(), { ...now, nonce }).nonces).toEqual([nonce]);
    expect(() => readEarClaims(claims(), { ...now, nonce: nonce.slice(0, -1) })).toThrow(
      expect.objectContaining({ code: 'EAR_NONCE_MISMATCH' }),
    );
  });

  it('answers whatever JSON with a result that keeps the rule on status, or with a code', () => {
    const vector = fc.dictionary(
      fc.constantFrom(...VECTOR_CLAIMS),
      fc.oneof(fc.integer({ min: -130, max: 130 }), fc.jsonValue()),
    );
    const appraisal = fc.record({ ear_status: fc.constantFrom(...TIERS, 'x'), ear_trustworthiness_vector: vector });
    const document = fc.oneof(
      fc.jsonValue(),
      fc.record({ submods: fc.dictionary(fc.string(), appraisal) }).map((each) => claims(each)),
    );
    fc.assert(
      fc.property(document, (value) => {
        try {
          const result = readEarClaims(value, now);
          for (const { status, vector } of Object.values(result.submodules)) {
            if (Object.keys(vector).length > 0) {
              expect(TIERS.indexOf(status)).toBeGreaterThanOrEqual(TIERS.indexOf(worstSaidTier(vector)));
            }
          }
        } catch (error) {
          expect(error).toBeInstanceOf(EarError);
        }
      }),
    );
  });
});

describe('the id of a policy', () => {
  const id = (policy: object, references: string[]) => policyId(policy as never, references, nodeAttestCrypto);
  it('is the same for the same rules in another order, another for others', () => {
    const first = id({ a: 1, b: [1, 2] }, ['aa', 'bb']);
    expect(first).toMatch(/^ni:\/\/\/sha-256;[A-Za-z0-9_-]{43}$/);
    expect(id({ b: [1, 2], a: 1 }, ['bb', 'aa'])).toBe(first);
    expect(id({ a: 1, b: [2, 1] }, ['aa', 'bb'])).not.toBe(first);
    expect(id({ a: 1, b: [1, 2] }, ['aa'])).not.toBe(first);
  });
});
