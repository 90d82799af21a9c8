import { createHash, createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../attest/result/ear.ts';
import { readEar } from '../attest/result/ear-jose.ts';
import { encodeEvidence } from '../protocol/evidence-document.ts';
import { fromHex, toBase64 } from '../shared/bytes.ts';
import { RESULT_LIFETIME_MS } from './ear.ts';
import { call } from './testing/http-client.ts';
import {
  attester,
  challenge,
  enrol,
  evidenceOf,
  identity,
  newMachine,
  submit,
  test,
  useBroker,
} from './testing/test-broker.ts';

useBroker();

const keysOf = async (): Promise<JWK[]> =>
  (await call(test.url, 'GET', '/v1/broker/keys')).json.keys as unknown as JWK[];
const resultOf = (machineId: string) => call(test.url, 'GET', `/v1/machines/${machineId}/result`);

async function accepted() {
  const prior = attester.attest({ challenge: new Uint8Array(32), brokerId: fromHex(identity.brokerId) });
  const { machineId } = await enrol({ ekPublic: toBase64(prior.ekPublic), akPublic: toBase64(prior.akPublic) });
  const asked = await challenge(machineId);
  const evidence = attester.attest({ challenge: fromHex(asked.challenge), brokerId: fromHex(asked.brokerId) });
  const answer = await submit(machineId, asked.challengeId, encodeEvidence(evidence));
  expect(answer.json, answer.text).toMatchObject({ status: 'accepted' });
  return { machineId, asked, evidence };
}

describe("the broker's signed results", () => {
  it('are signed by the key of its identity, which it publishes', async () => {
    const [key, ...others] = await keysOf();
    expect(others).toEqual([]);
    expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256', kid: expect.any(String) });
    expect(key).not.toHaveProperty('d');
    const spki = createPublicKey({ key: key as never, format: 'jwk' }).export({ type: 'spki', format: 'der' });
    expect(createHash('sha256').update(spki).digest('hex')).toBe(identity.brokerId);
  });

  it('say of an accepted machine what was judged, with what, and until when that is good', async () => {
    const { machineId, asked, evidence } = await accepted();
    const judgedAt = test.nowMs;
    const answer = await resultOf(machineId);
    expect(answer.status).toBe(200);
    expect(answer.contentType).toBe('application/eat+jwt; eat_profile="tag:ietf.org,2026:rats/ear#04"');

    const nonce = toBase64Url(fromHex(asked.challenge));
    const result = await readEar(answer.text, await keysOf(), { time: new Date(judgedAt + 1000), nonce });
    expect(result.issuedAt.getTime()).toBe(Math.floor(judgedAt / 1000) * 1000);
    expect(result.expiresAt?.getTime()).toBe(Math.floor((judgedAt + RESULT_LIFETIME_MS) / 1000) * 1000);
    expect(result.verifier).toEqual({ developer: 'cpushare-live', build: 'cpushare-broker 1.2.3' });
    expect(result.submodules.machine).toMatchObject({
      status: 'contraindicated', // a software TPM, which this broker's policy accepts by name
      vector: { hardware: 96, executables: 3, configuration: 3, 'instance-identity': 2 },
      attesterClaims: { clientVersion: '0.1.0' },
      verifierClaims: {
        verdict: 'accepted',
        machineId,
        sessionKeySha256: createHash('sha256').update(evidence.sessionPublicKey).digest('hex'),
        tpm: { class: 'software' },
      },
    });
    const report = (await call(test.url, 'GET', `/v1/machines/${machineId}/report`)).json as {
      judgement: { policyId: string };
    };
    expect(result.submodules.machine?.policyIds).toEqual([report.judgement.policyId]);
  });

  it('expire by the time of judgement, however late they are fetched', async () => {
    const { machineId } = await accepted();
    const early = await resultOf(machineId);
    test.nowMs += RESULT_LIFETIME_MS;
    const late = await resultOf(machineId);
    expect(late.text).toBe(early.text);
    await expect(readEar(late.text, await keysOf(), { time: new Date(test.nowMs) })).rejects.toMatchObject({
      code: 'EAR_EXPIRED',
    });
  });

  it('say of a refused machine that it was refused, and why', async () => {
    const machine = newMachine();
    const { machineId } = await enrol(machine);
    expect(await resultOf(machineId)).toMatchObject({ status: 404, json: { code: 'RESULT_UNKNOWN' } });
    const { challengeId } = await challenge(machineId);
    await submit(machineId, challengeId, evidenceOf(machine));
    const result = await readEar((await resultOf(machineId)).text, await keysOf(), { time: new Date(test.nowMs) });
    expect(result.submodules.machine).toMatchObject({
      status: 'contraindicated',
      verifierClaims: { verdict: 'refused' },
    });
    const checks = result.submodules.machine?.verifierClaims.checks as { status: string; code?: string }[];
    expect(checks.find(({ status }) => status === 'failed')?.code).toMatch(/^[A-Z_]+$/);
  });

  it('are not given for machines it does not know', async () => {
    expect(await resultOf('00'.repeat(32))).toMatchObject({ status: 404, json: { code: 'MACHINE_UNKNOWN' } });
    expect(await resultOf('xyz')).toMatchObject({ status: 400, json: { code: 'REQUEST_MALFORMED' } });
  });

  it('are described in the OpenAPI document with their media type', async () => {
    const { json } = await call(test.url, 'GET', '/v1/openapi.json');
    const paths = json.paths as Record<string, { get: { responses: Record<string, { content: object }> } }>;
    expect(Object.keys(paths['/v1/machines/{machineId}/result']?.get.responses['200']?.content ?? {})).toEqual([
      'application/eat+jwt; eat_profile="tag:ietf.org,2026:rats/ear#04"',
    ]);
  });
});
