/** The page's judgement is the verifier's own, and what it cannot judge has the command line's codes. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FIXTURES, type FixtureName, fixturePath, loadFixture } from '../../test/fixtures/load.ts';
import { appraise } from '../attest/appraise.ts';
import { nobleAttestCrypto } from '../attest/crypto/crypto-noble.ts';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import type { TpmClass } from '../attest/evidence.ts';
import { encodeEnvelope, preAuthEncoding, referenceKeyId } from '../attest/image/signed-reference-values.ts';
import { policyAccepting } from '../attest/policy/policies.ts';
import { type GivenDocument, kindOf } from './documents.ts';
import type { PageInputs } from './inputs.ts';
import { judgeInputs, type Outcome } from './judge.ts';

const now = new Date('2026-11-22T12:00:00Z');
const CLASSES: readonly TpmClass[] = ['hardware', 'firmware', 'cloud', 'software'];
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function documents(name: FixtureName): GivenDocument[] {
  return ['report.json', 'reference-values.json', 'trust.pem'].map((file) => {
    const bytes = new Uint8Array(readFileSync(fixturePath(name, file)));
    return { kind: kindOf(bytes), name: file, bytes };
  });
}

function inputs(name: FixtureName, changes: Partial<PageInputs> = {}): PageInputs {
  const text = readFileSync(fixturePath(name, 'nonce'), 'utf8').trim();
  const challenge = { kind: 'given', text } as const;
  return { documents: documents(name), challenge, brokerId: '', acceptedClasses: CLASSES, at: '', ...changes };
}

const codeOf = (outcome: Outcome): string =>
  outcome.kind === 'unjudged' ? outcome.error.code : outcome.verdict.status;
const judge = (given: PageInputs): Outcome => judgeInputs(given, now, nobleAttestCrypto);

describe('the judgement', () => {
  it.each(FIXTURES)("of %s is the verifier's own, with either cryptography", (name) => {
    const { report, expected } = loadFixture(name);
    const outcome = judge(inputs(name));
    if (outcome.kind === 'unjudged') throw outcome.error;
    expect(outcome.verdict).toEqual(
      appraise(report.evidence, expected({ policy: policyAccepting(CLASSES) }), nodeAttestCrypto),
    );
    expect(outcome.verdict.status).toBe('accepted');
    expect(outcome.facts).toMatchObject({ brokerSource: 'report', challengeSource: 'given' });
  });

  it('says when challenge and broker are not the reader’s own', () => {
    const { report } = loadFixture('p256');
    const brokerId = Buffer.from(report.brokerId).toString('hex');
    const outcome = judge(inputs('p256', { challenge: { kind: 'as-reported' }, brokerId }));
    if (outcome.kind === 'unjudged') throw outcome.error;
    expect(outcome.verdict.status).toBe('accepted');
    expect(outcome.facts).toMatchObject({ brokerId, brokerSource: 'given', challengeSource: 'report' });
  });

  it('takes a policy file in place of the choice of classes', () => {
    const bytes = utf8(JSON.stringify(policyAccepting(['hardware'])));
    const given = [...documents('p256'), { kind: 'policy', name: 'policy.json', bytes } as const];
    const outcome = judge(inputs('p256', { documents: given }));
    expect(codeOf(outcome)).toBe('refused');
  });

  describe('with a key for reference values', () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = utf8(String(pair.publicKey.export({ type: 'spki', format: 'pem' })));
    const key: GivenDocument = { kind: kindOf(pem), name: 'reference-key.pub', bytes: pem };
    const [report, plain, trust] = documents('p256') as [GivenDocument, GivenDocument, GivenDocument];
    const spki = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }));
    const signedWith = (privateKey: KeyObject): GivenDocument => {
      const signature = sign('sha256', preAuthEncoding(plain.bytes), privateKey);
      const envelope = encodeEnvelope(plain.bytes, new Uint8Array(signature), referenceKeyId(spki, nodeAttestCrypto));
      return { kind: kindOf(utf8(envelope)), name: 'release.json', bytes: utf8(envelope) };
    };

    it('accepts what it signed', () => {
      expect(codeOf(judge(inputs('p256', { documents: [report, signedWith(pair.privateKey), trust, key] })))).toBe(
        'accepted',
      );
    });

    it('takes neither unsigned reference values nor those that another key signed', () => {
      const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      const judged = (reference: GivenDocument) =>
        codeOf(judge(inputs('p256', { documents: [report, reference, trust, key] })));
      expect(judged(plain)).toBe('REFERENCE_UNSIGNED');
      expect(judged(signedWith(stranger))).toBe('REFERENCE_SIGNATURE_INVALID');
    });
  });

  const good = documents('p256');
  const [report, reference, trust] = good as [GivenDocument, GivenDocument, GivenDocument];
  const bad = (document: GivenDocument, text: string): GivenDocument => ({ ...document, bytes: utf8(text) });
  const elsewhere = new TextDecoder().decode(report.bytes).replace(/"machineId": *"../, '"machineId":"00');

  it.each([
    { name: 'no report', changes: { documents: [reference, trust] }, code: 'REPORT_MISSING' },
    { name: 'no reference values', changes: { documents: [report, trust] }, code: 'REFERENCE_MISSING' },
    { name: 'a report that is none', changes: { documents: [bad(report, '{}'), reference] }, code: 'REPORT_MALFORMED' },
    {
      name: "another machine's head",
      changes: { documents: [bad(report, elsewhere)] },
      code: 'REPORT_MACHINE_MISMATCH',
    },
    {
      name: 'reference values that are none',
      changes: { documents: [report, bad(reference, '[]')] },
      code: 'REFERENCE_VALUES_MALFORMED',
    },
    {
      name: 'authorities that are none',
      changes: { documents: [report, reference, bad(trust, 'hello')] },
      code: 'TRUST_FILE_BAD',
    },
    {
      name: 'a policy that is none',
      changes: { documents: [...good, { kind: 'policy', name: 'p', bytes: utf8('{"accept":"all"}') } as const] },
      code: 'POLICY_MALFORMED',
    },
    { name: 'no challenge', changes: { challenge: { kind: 'given', text: '' } as const }, code: 'NONCE_BAD' },
    { name: 'half a challenge', changes: { challenge: { kind: 'given', text: 'ab' } as const }, code: 'NONCE_BAD' },
    { name: 'a broker id that is none', changes: { brokerId: 'me' }, code: 'BROKER_ID_BAD' },
    { name: 'a time that is none', changes: { at: 'noon' }, code: 'TIME_BAD' },
    { name: 'no class of TPM', changes: { acceptedClasses: [] }, code: 'EXPECTED_INVALID' },
  ])('cannot be made with $name: $code', ({ changes, code }) => {
    expect(codeOf(judge(inputs('p256', changes)))).toBe(code);
  });
});
