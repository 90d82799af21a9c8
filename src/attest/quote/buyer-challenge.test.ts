/** A verifier that asks through a broker: its challenge, its own activation. Pitfalls 8, 11, 42, 47, 54 and 55. */
import { describe, expect, it } from 'vitest';
import { appraise } from '../appraise.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import type { Evidence } from '../evidence.ts';
import type { Expected } from '../expected.ts';
import { policyAccepting } from '../policy/policies.ts';
import { newMachine } from '../testing/attester-node.ts';
import { GOOD_BOOT, referenceValuesOf } from '../testing/boot-node.ts';
import type { AnsweredActivation } from './activation.ts';
import { activationAnswer, answerableSecret } from './activation-answer.ts';

const challenge = new Uint8Array(32).fill(5);
const brokerId = new Uint8Array(32).fill(9);
const machine = newMachine();
const secret = answerableSecret(new Uint8Array(24).fill(1));
const evidence = machine.attest({ challenge, brokerId, role: 'seller-to-buyer' });
const { ekName, akName } = machine.activation;
const answerTo = (given: Evidence, under = secret) => activationAnswer(under, { ...given, challenge }, crypto);
const answered: AnsweredActivation = { ekName, akName, secret, answer: answerTo(evidence) };

const expected: Expected = {
  challenge,
  role: 'seller-to-buyer',
  brokerId,
  activation: { kind: 'answered', ...answered },
  referenceValues: [referenceValuesOf(GOOD_BOOT)],
  trustAnchors: [machine.authority.certificate],
  extraCertificates: [],
  revocationLists: [],
  policy: policyAccepting(['software']),
  time: new Date('2026-11-21T05:00:00Z'),
};
const firstFailure = (given: Evidence, against: Expected) =>
  appraise(given, against, crypto).checks.find(({ status }) => status === 'failed')?.code;

describe("a buyer's own challenge", () => {
  it('is accepted with the activation the buyer ran, and then rests on no word of the broker', () => {
    const verdict = appraise(evidence, expected, crypto);
    expect(verdict.status).toBe('accepted');
    expect(verdict.limits.join()).not.toContain('word of the broker');
    expect(verdict.checks.find(({ name }) => name === 'activation')?.sentence).toContain('This verifier');
  });

  it.each([
    { name: "a broker's quote passed off as a buyer's", made: 'seller', asked: 'seller-to-buyer' },
    { name: "a buyer's quote passed off as a broker's", made: 'seller-to-buyer', asked: 'seller' },
  ] as const)('is not answered by $name', ({ made, asked }) => {
    const given = machine.attest({ challenge, brokerId, role: made });
    const activation = { kind: 'witnessed', ekName, akName } as const;
    expect(firstFailure(given, { ...expected, role: asked, activation })).toBe('BINDING_MISMATCH');
  });

  it('is a broker’s challenge where no role is named', () => {
    const { role: _, ...unnamed } = expected;
    const given = machine.attest({ challenge, brokerId });
    const activation = { kind: 'witnessed', ekName, akName } as const;
    expect(firstFailure(given, { ...unnamed, activation })).toBeUndefined();
    expect(firstFailure(evidence, { ...unnamed, activation })).toBe('BINDING_MISMATCH');
  });
});

describe('an activation answered from afar', () => {
  const other = newMachine();
  const flipped = Uint8Array.from(answered.answer ?? [], (byte, index) => (index === 31 ? byte ^ 1 : byte));
  const plain = new Uint8Array(32).fill(7);
  it.each([
    { name: 'no answer', change: { answer: null }, code: 'ACTIVATION_ANSWER_INVALID' },
    { name: 'an altered answer', change: { answer: flipped }, code: 'ACTIVATION_ANSWER_INVALID' },
    { name: 'a cut answer', change: { answer: flipped.subarray(0, 31) }, code: 'ACTIVATION_ANSWER_INVALID' },
    { name: 'the secret itself', change: { answer: secret }, code: 'ACTIVATION_ANSWER_INVALID' },
    {
      name: 'an answer under another secret',
      change: { secret: answerableSecret(new Uint8Array(24)) },
      code: 'ACTIVATION_ANSWER_INVALID',
    },
    {
      name: 'an answer under a secret that is none of a verifier',
      change: { secret: plain, answer: answerTo(evidence, plain) },
      code: 'ACTIVATION_ANSWER_INVALID',
    },
    {
      name: 'an answer made for an earlier quote of the same AK',
      change: { answer: answerTo(machine.attest({ challenge: brokerId, brokerId, role: 'seller-to-buyer' })) },
      code: 'ACTIVATION_ANSWER_INVALID',
    },
    {
      name: 'a credential for another AK',
      change: { akName: other.activation.akName },
      code: 'ACTIVATION_AK_MISMATCH',
    },
    {
      name: 'a credential for another EK',
      change: { ekName: other.activation.ekName },
      code: 'ACTIVATION_EK_MISMATCH',
    },
  ] as const)('refuses $name', ({ change, code }) => {
    expect(firstFailure(evidence, { ...expected, activation: { kind: 'answered', ...answered, ...change } })).toBe(
      code,
    );
  });

  it('refuses the evidence of another machine under this answer', () => {
    const swapped = other.attest({ challenge, brokerId, role: 'seller-to-buyer' });
    expect(firstFailure(swapped, expected)).toBe('ACTIVATION_ANSWER_INVALID');
    const activation = { kind: 'answered', ...answered, answer: answerTo(swapped) } as const;
    expect(firstFailure(swapped, { ...expected, activation })).toBe('ACTIVATION_AK_MISMATCH');
  });

  it('tells neither the secret nor the right answer', () => {
    const text = JSON.stringify(
      appraise(evidence, { ...expected, activation: { kind: 'answered', ...answered, answer: flipped } }, crypto),
    );
    for (const bytes of [secret, answered.answer ?? secret]) {
      expect(text).not.toContain(Buffer.from(bytes).toString('hex'));
      expect(text).not.toContain(Buffer.from(bytes).toString('base64'));
    }
  });
});
