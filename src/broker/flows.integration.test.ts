import { describe, expect, it } from 'vitest';
import { appraise } from '../attest/appraise.ts';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import { policyAccepting } from '../attest/policy/policies.ts';
import { referenceId } from '../attest/result/ear-policy-id.ts';
import { encodeEvidence } from '../protocol/evidence-document.ts';
import { ReportDocument } from '../protocol/messages.ts';
import { decodeReport } from '../protocol/report-document.ts';
import { requireShape } from '../protocol/schema-check.ts';
import { fromHex, toBase64 } from '../shared/bytes.ts';
import { CHALLENGE_LIFETIME_MS } from './challenge.ts';
import { ENROLMENT_LIFETIME_MS } from './enrolment.ts';
import { call } from './testing/http-client.ts';
import {
  acceptedImage,
  activate,
  attester,
  begin,
  challenge,
  enrol,
  evidenceOf,
  identity,
  listed,
  newMachine,
  rows,
  submit,
  test,
  useBroker,
} from './testing/test-broker.ts';
import { newAk, newEk, publicArea } from './testing/tpm-keys.ts';

useBroker();

describe('enrolment', () => {
  it('knows the machine after the right secret, and gives the same answer again', async () => {
    const machine = newMachine();
    const first = await enrol(machine);
    const again = await activate(first.enrolmentId, first.secret);
    expect(again).toMatchObject({ status: 200, json: { machineId: first.machineId } });
    const second = await enrol(machine);
    expect(second.machineId).toBe(first.machineId);
    expect(await rows('machines', first.machineId)).toBe(1);
    expect(await rows('activated_keys', first.machineId)).toBe(1);
  });

  it('takes one guess, and tells nothing by how it refuses', async () => {
    const { enrolmentId, secret } = await begin(newMachine());
    const wrong = await activate(enrolmentId, new Uint8Array(32));
    const late = await activate(enrolmentId, secret);
    const unknown = await activate('00'.repeat(16), secret);
    const short = await activate((await begin(newMachine())).enrolmentId, new Uint8Array(0));
    for (const answer of [wrong, late, unknown, short]) {
      expect(answer.status).toBe(403);
      expect(answer.text).toBe(wrong.text);
    }
  });

  it('is over when its time is', async () => {
    const { enrolmentId, secret } = await begin(newMachine());
    test.nowMs += ENROLMENT_LIFETIME_MS;
    expect((await activate(enrolmentId, secret)).json.code).toBe('ACTIVATION_REFUSED');
  });

  it('makes one machine of many activations at once', async () => {
    const { enrolmentId, secret } = await begin(newMachine());
    const answers = await Promise.all(Array.from({ length: 6 }, () => activate(enrolmentId, secret)));
    expect(new Set(answers.map((answer) => answer.json.machineId)).size).toBe(1);
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect(await rows('machines', String(answers[0]?.json.machineId))).toBe(1);
  });

  it('makes no credential for an AK that could sign anything', async () => {
    const made = test.secrets.length;
    const ak = newAk();
    const loose = publicArea({ ...ak, attributes: { ...ak.attributes, restricted: false } });
    const body = { ekPublic: toBase64(publicArea(newEk())), ekCertificates: [], akPublic: toBase64(loose) };
    expect((await call(test.url, 'POST', '/v1/enrolments', { body })).json.code).toBe('AK_UNSUITABLE');
    expect(test.secrets).toHaveLength(made);
  });
});

describe('attestation', () => {
  it('judges once: refused evidence is an answer, its replay is not', async () => {
    const machine = newMachine();
    const { machineId } = await enrol(machine);
    const { challengeId } = await challenge(machineId);
    const answer = await submit(machineId, challengeId, evidenceOf(machine));
    expect(answer, test.logged.at(-1)).toMatchObject({
      status: 200,
      json: { status: 'refused', nextAttestationMs: 60_000 },
    });
    expect(await submit(machineId, challengeId, evidenceOf(machine))).toMatchObject({
      json: { code: 'CHALLENGE_USED' },
    });
    const report = await call(test.url, 'GET', `/v1/machines/${machineId}/report`);
    const document = requireShape(ReportDocument, report.json, 'report');
    expect(document).toMatchObject({ machineId, brokerId: identity.brokerId, verdict: { status: 'refused' } });
    expect(document.evidence).toEqual(evidenceOf(machine));
    expect(await listed(machineId)).toMatchObject({ attestation: 'refused', reason: expect.any(String) });
    await enrol(machine);
    expect((await listed(machineId))?.attestation).toBe('enrolled');
  });

  it('accepts a machine that runs the image; a third party judges the report the same without this broker', async () => {
    const prior = attester.attest({ challenge: new Uint8Array(32), brokerId: fromHex(identity.brokerId) });
    const machine = { ekPublic: toBase64(prior.ekPublic), akPublic: toBase64(prior.akPublic) };
    const { machineId } = await enrol(machine, attester.session);
    const asked = await challenge(machineId);
    const evidence = attester.attest({ challenge: fromHex(asked.challenge), brokerId: fromHex(asked.brokerId) });
    const answer = await submit(machineId, asked.challengeId, encodeEvidence(evidence));
    expect(answer.json, answer.text).toMatchObject({ status: 'accepted', nextAttestationMs: 600_000 });
    expect(await listed(machineId)).toMatchObject({ attestation: 'accepted' });

    const report = decodeReport((await call(test.url, 'GET', `/v1/machines/${machineId}/report`)).json);
    const expected = {
      challenge: fromHex(asked.challenge),
      brokerId: fromHex(identity.brokerId),
      activation: { kind: 'transcript', transcript: report.activation },
      referenceValues: [acceptedImage],
      trustAnchors: [attester.authority.certificate],
      extraCertificates: [],
      revocationLists: [],
      policy: policyAccepting(['software']),
      time: new Date(test.nowMs),
    } as const;
    expect(appraise(report.evidence, expected, nodeAttestCrypto).status).toBe('accepted');

    // What the broker judged with is stated whole, and is what it judged with.
    expect(report.judgement).toMatchObject({ time: new Date(test.nowMs).toISOString(), certificates: [] });
    expect(report.judgement?.referenceValues).toContainEqual(acceptedImage);
    expect(report.judgement?.referenceIds).toContain(referenceId(acceptedImage, nodeAttestCrypto));
    expect(report.judgement?.policy).toEqual(policyAccepting(['software']));
    expect(report.judgement?.limits.join(' ')).toContain('cannot prove the activation again');

    // The same evidence for a later challenge is genuine, and stale.
    const later = await challenge(machineId);
    const replayed = await submit(machineId, later.challengeId, encodeEvidence(evidence));
    expect(replayed.json).toMatchObject({ status: 'refused' });
    const failed = (replayed.json.checks as { name: string; status: string }[]).find(
      (check) => check.status === 'failed',
    );
    expect(failed?.name).toBe('quote-binding');
  });

  it('knows where the TPM was last seen: a genuine quote of an earlier state is refused, across enrolments', async () => {
    const prior = attester.attest({ challenge: new Uint8Array(32), brokerId: fromHex(identity.brokerId) });
    const machine = { ekPublic: toBase64(prior.ekPublic), akPublic: toBase64(prior.akPublic) };
    const { machineId } = await enrol(machine, attester.session);
    const quoted = async (
      clock: { clock: bigint; resetCount: number; restartCount?: number },
      firmwareVersion = 1n,
    ) => {
      const asked = await challenge(machineId);
      const about = { challenge: fromHex(asked.challenge), brokerId: fromHex(asked.brokerId) };
      const evidence = attester.attest({ ...about, clock, firmwareVersion });
      const { json } = await submit(machineId, asked.challengeId, encodeEvidence(evidence));
      const failed = (json.checks as { status: string; code?: string }[]).find(({ status }) => status === 'failed');
      return failed?.code ?? json.status;
    };
    expect(await quoted({ clock: 50_000n, resetCount: 7, restartCount: 2 })).toBe('accepted');
    expect(await quoted({ clock: 60_000n, resetCount: 7, restartCount: 2 })).toBe('accepted');
    expect(await quoted({ clock: 55_000n, resetCount: 7, restartCount: 2 })).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(await quoted({ clock: 70_000n, resetCount: 6 })).toBe('QUOTE_CLOCK_BACKWARDS');
    await enrol(machine, attester.session);
    expect(await quoted({ clock: 50_000n, resetCount: 7, restartCount: 2 })).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(await quoted({ clock: 70_000n, resetCount: 8 })).toBe('accepted');
    expect(await quoted({ clock: 80_000n, resetCount: 8 }, 2n)).toBe('accepted');
    expect(await quoted({ clock: 90_000n, resetCount: 9 }, 1n)).toBe('TPM_FIRMWARE_ROLLED_BACK');
    expect(await quoted({ clock: 90_000n, resetCount: 9 }, 2n)).toBe('accepted');
  });

  it('of two submissions at once judges one', async () => {
    const machine = newMachine();
    const { machineId } = await enrol(machine);
    const { challengeId } = await challenge(machineId);
    const twins = await Promise.all([1, 2, 3].map(() => submit(machineId, challengeId, evidenceOf(machine))));
    expect(twins.map((answer) => answer.status).sort()).toEqual([200, 409, 409]);
    expect(await rows('reports', machineId)).toBe(1);
  });

  it('refuses a challenge that is old, voided, of another machine, or invented', async () => {
    const machine = newMachine();
    const { machineId } = await enrol(machine);
    const other = await enrol(newMachine());
    const first = await challenge(machineId);
    const second = await challenge(machineId);
    const code = async (id: string) => (await submit(machineId, id, evidenceOf(machine))).json.code;
    expect(await code(first.challengeId)).toBe('CHALLENGE_VOIDED');
    expect(await code((await challenge(other.machineId)).challengeId)).toBe('CHALLENGE_UNKNOWN');
    expect(await code('00'.repeat(16))).toBe('CHALLENGE_UNKNOWN');
    test.nowMs += CHALLENGE_LIFETIME_MS;
    expect(await code(second.challengeId)).toBe('CHALLENGE_EXPIRED');
    expect((await call(test.url, 'GET', `/v1/machines/${machineId}/report`)).json.code).toBe('REPORT_UNKNOWN');
  });

  it('spends the challenge on evidence of another AK, of another EK, and on evidence it cannot read', async () => {
    const machine = newMachine();
    const stranger = newMachine();
    const { machineId } = await enrol(machine);
    const attempts = [
      { evidence: { ...evidenceOf(machine), akPublic: stranger.akPublic }, code: 'AK_NOT_ACTIVATED' },
      { evidence: { ...evidenceOf(machine), akPublic: 'AAAA' }, code: 'AK_NOT_ACTIVATED' },
      { evidence: { ...evidenceOf(machine), ekPublic: stranger.ekPublic }, code: 'EK_NOT_OF_MACHINE' },
      { evidence: { ...evidenceOf(machine), sessionPublicKey: '' }, code: 'SESSION_NOT_OF_MACHINE' },
      { evidence: { ...evidenceOf(machine), quote: 'QUJDRB==' }, code: 'EVIDENCE_MALFORMED' },
    ];
    for (const { evidence, code } of attempts) {
      const { challengeId } = await challenge(machineId);
      expect((await submit(machineId, challengeId, evidence)).json.code).toBe(code);
      expect((await submit(machineId, challengeId, evidenceOf(machine))).json.code).toBe('CHALLENGE_USED');
    }
    expect(await rows('reports', machineId)).toBe(0);
  });

  it('gives every challenge its own number, bound to this broker', async () => {
    const { machineId } = await enrol(newMachine());
    const [a, b] = [await challenge(machineId), await challenge(machineId)];
    expect(a.challenge).toMatch(/^[0-9a-f]{64}$/);
    expect(a.challenge).not.toBe(b.challenge);
    expect(a.brokerId).toBe(identity.brokerId);
  });
});
