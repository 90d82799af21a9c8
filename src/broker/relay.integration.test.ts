/** A verifier's own challenge over the wire: TLS and database are real, the machine's keys are those of node:crypto. */
import { randomBytes } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { appraise } from '../attest/appraise.ts';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import type { Evidence } from '../attest/evidence.ts';
import type { Expected } from '../attest/expected.ts';
import { policyAccepting } from '../attest/policy/policies.ts';
import { activationAnswer, answerableSecret } from '../attest/quote/activation-answer.ts';
import { createBrokerClient } from '../cli/broker-client.ts';
import { decodeEvidence, encodeEvidence } from '../protocol/evidence-document.ts';
import { MachineKeys, PendingAnswer, Verification, VerificationReceipt } from '../protocol/relay-messages.ts';
import { requireShape } from '../protocol/schema-check.ts';
import { fromHex, toBase64, toHex } from '../shared/bytes.ts';
import { createDoorbells, type Doorbells } from './doorbells.ts';
import { requestErrorStatus } from './errors.ts';
import { createServer } from './server.ts';
import { type Answer, call } from './testing/http-client.ts';
import {
  acceptedImage,
  attester,
  challenge,
  enrol,
  evidenceOf,
  identity,
  newMachine,
  newSession,
  signed,
  test,
  useBroker,
} from './testing/test-broker.ts';
import { ANSWER_WITHIN_MS, COLLECT_WITHIN_MS, REMEMBERED_MS } from './verification.ts';

useBroker();

const brokerId = fromHex(identity.brokerId);
const fresh = () => toHex(randomBytes(32));
let machine: { ekPublic: string; akPublic: string };
let machineId: string;

beforeAll(async () => {
  const prior = attester.attest({ challenge: new Uint8Array(32), brokerId });
  machine = { ekPublic: toBase64(prior.ekPublic), akPublic: toBase64(prior.akPublic) };
  ({ machineId } = await enrol(machine, attester.session));
});
beforeEach(() => test.db.query('DELETE FROM verifications'));

const ask = (body: object, to = machineId) => call(test.url, 'POST', `/v1/machines/${to}/verifications`, { body });
const poll = (waitMs = 0, signature = signed('pending', machineId)) =>
  call(test.url, 'POST', `/v1/machines/${machineId}/pending`, { body: { waitMs, signature } });
const give = (verificationId: string, body: object, signature = signed('answer', machineId, verificationId)) =>
  call(test.url, 'POST', `/v1/machines/${machineId}/verifications/${verificationId}/evidence`, {
    body: { signature, ...body },
  });
const collect = (verificationId: string) => call(test.url, 'GET', `/v1/verifications/${verificationId}`);
const receiptOf = (answer: Answer) => {
  expect(answer.status, answer.text).toBe(202);
  return requireShape(VerificationReceipt, answer.json, 'receipt').verificationId;
};
const refused = (answer: Answer, code: keyof typeof requestErrorStatus) =>
  expect(answer, answer.text).toMatchObject({ status: requestErrorStatus[code], json: { code } });
const evidenceFor = (asked: string): Evidence =>
  attester.attest({ challenge: fromHex(asked), brokerId, role: 'seller-to-buyer' });

function expected(asked: string, activation: Expected['activation']): Expected {
  return {
    challenge: fromHex(asked),
    role: 'seller-to-buyer',
    brokerId,
    activation,
    referenceValues: [acceptedImage],
    trustAnchors: [attester.authority.certificate],
    extraCertificates: [],
    revocationLists: [],
    policy: policyAccepting(['software']),
    time: new Date(test.nowMs),
  };
}

describe("a verifier's own challenge", () => {
  it('wakes the waiting machine, is answered, and convinces the verifier without a word of the broker', async () => {
    const keys = requireShape(
      MachineKeys,
      (await call(test.url, 'GET', `/v1/machines/${machineId}/keys`)).json,
      'keys',
    );
    expect(keys).toMatchObject({ machineId, brokerId: identity.brokerId, ...machine });
    const asked = fresh();
    const secret = answerableSecret(new Uint8Array(randomBytes(24)));
    // What the machine's TPM would open; here the test hands the secret over itself.
    const credential = { credentialBlob: toBase64(randomBytes(70)), encryptedSecret: toBase64(randomBytes(70)) };

    const waiting = poll(30_000);
    const verificationId = receiptOf(await ask({ challenge: asked, credential }));
    expect((await collect(verificationId)).json).toMatchObject({ state: 'waiting', machineId });
    const { verification } = requireShape(PendingAnswer, (await waiting).json, 'pending');
    expect(verification).toMatchObject({ verificationId, challenge: asked, credential });

    const evidence = evidenceFor(verification?.challenge ?? '');
    const answered = activationAnswer(secret, { ...evidence, challenge: fromHex(asked) }, nodeAttestCrypto);
    const given = await give(verificationId, { evidence: encodeEvidence(evidence), answer: toHex(answered) });
    expect(given.status, given.text).toBe(204);

    const collected = requireShape(Verification, (await collect(verificationId)).json, 'verification');
    expect(collected).toMatchObject({ state: 'answered', machineId, answer: toHex(answered) });
    const verdict = appraise(
      decodeEvidence(collected.evidence),
      expected(asked, {
        kind: 'answered',
        ekName: attester.activation.ekName,
        akName: attester.activation.akName,
        secret,
        answer: fromHex(collected.answer ?? ''),
      }),
      nodeAttestCrypto,
    );
    expect(verdict.status).toBe('accepted');
    expect((await collect(verificationId)).json).toEqual(collected);
    expect((await poll()).json).toEqual({ nextPollMs: 0 });
  });

  it('does not touch the challenge between machine and broker', async () => {
    const own = await challenge(machineId);
    receiptOf(await ask({ challenge: fresh() }));
    const evidence = attester.attest({ challenge: fromHex(own.challenge), brokerId });
    const body = { challengeId: own.challengeId, evidence: encodeEvidence(evidence) };
    const answer = await call(test.url, 'POST', `/v1/machines/${machineId}/evidence`, { body });
    expect(answer.json).toMatchObject({ status: 'accepted' });
  });

  it("is no use as an answer to the broker's challenge, even when it was the same number", async () => {
    const own = await challenge(machineId);
    receiptOf(await ask({ challenge: own.challenge }));
    const body = { challengeId: own.challengeId, evidence: encodeEvidence(evidenceFor(own.challenge)) };
    const answer = await call(test.url, 'POST', `/v1/machines/${machineId}/evidence`, { body });
    const failed = (answer.json.checks as { status: string; code?: string }[]).find(
      ({ status }) => status === 'failed',
    );
    expect([answer.json.status, failed?.code]).toEqual(['refused', 'BINDING_MISMATCH']);
  });

  it('can end in a reason instead of evidence, and not in both or neither', async () => {
    const verificationId = receiptOf(await ask({ challenge: fresh() }));
    const evidence = encodeEvidence(evidenceFor(fresh()));
    refused(await give(verificationId, {}), 'REQUEST_MALFORMED');
    refused(await give(verificationId, { evidence, failure: 'BUSY' }), 'REQUEST_MALFORMED');
    refused(await give(verificationId, { failure: 'TIRED' }), 'REQUEST_MALFORMED');
    expect((await give(verificationId, { failure: 'CREDENTIAL_REFUSED' })).status).toBe(204);
    expect((await collect(verificationId)).json).toMatchObject({ state: 'failed', failure: 'CREDENTIAL_REFUSED' });
  });

  it('is over in time, for the machine and for the verifier', async () => {
    const [early, late] = [await ask({ challenge: fresh() }), await ask({ challenge: fresh() })].map(receiptOf);
    expect((await give(early ?? '', { failure: 'BUSY' })).status).toBe(204);
    test.nowMs += ANSWER_WITHIN_MS;
    refused(await give(late ?? '', { failure: 'BUSY' }), 'VERIFICATION_EXPIRED');
    refused(await collect(late ?? ''), 'VERIFICATION_EXPIRED');
    expect((await collect(early ?? '')).status).toBe(200);
    test.nowMs += COLLECT_WITHIN_MS;
    refused(await collect(early ?? ''), 'VERIFICATION_EXPIRED');
    test.nowMs += REMEMBERED_MS;
    receiptOf(await ask({ challenge: fresh() }));
    refused(await collect(early ?? ''), 'VERIFICATION_UNKNOWN');
  });

  it('is good once, and answered once', async () => {
    const body = { challenge: fresh() };
    const verificationId = receiptOf(await ask(body));
    refused(await ask(body), 'VERIFICATION_REPEATED');
    expect((await give(verificationId, { failure: 'BUSY' })).status).toBe(204);
    refused(await give(verificationId, { failure: 'BUSY' }), 'VERIFICATION_ANSWERED');
    refused(await ask(body), 'VERIFICATION_REPEATED');
  });

  it('does not flood a machine, nor the broker', async () => {
    receiptOf(await ask({ challenge: fresh() }));
    receiptOf(await ask({ challenge: fresh() }));
    refused(await ask({ challenge: fresh() }), 'VERIFICATIONS_BUSY');
    expect((await test.db.query('SELECT 1 FROM verifications')).length).toBe(2);
  });
});

describe('who speaks for a machine', () => {
  it('is the session key it enrolled with, and nobody else', async () => {
    const verificationId = receiptOf(await ask({ challenge: fresh() }));
    const stranger = newSession();
    const evidence = encodeEvidence(evidenceFor(fresh()));
    const challengeBy = (signature: string) =>
      call(test.url, 'POST', `/v1/machines/${machineId}/challenges`, { body: { signature } });
    for (const by of [stranger, undefined]) {
      // The right key over another purpose, machine or subject is as wrong as another key.
      const [purpose, subject] = by === undefined ? (['pending', 'x'] as const) : (['challenge', ''] as const);
      refused(await challengeBy(signed(purpose, machineId, subject, by)), 'SESSION_NOT_OF_MACHINE');
    }
    refused(await challengeBy(''), 'SESSION_NOT_OF_MACHINE');
    refused(await poll(0, signed('pending', machineId, '', stranger)), 'SESSION_NOT_OF_MACHINE');
    refused(await poll(0, signed('challenge', machineId)), 'SESSION_NOT_OF_MACHINE');
    const asStranger = signed('answer', machineId, verificationId, stranger);
    refused(await give(verificationId, { evidence }, asStranger), 'SESSION_NOT_OF_MACHINE');
    refused(await give(verificationId, { evidence }, signed('answer', machineId, fresh())), 'SESSION_NOT_OF_MACHINE');
    expect((await collect(verificationId)).json).toMatchObject({ state: 'waiting' });
  });

  it('cannot bring evidence of another machine, or of another run', async () => {
    const verificationId = receiptOf(await ask({ challenge: fresh() }));
    const other = newMachine();
    refused(await give(verificationId, { evidence: evidenceOf(other) }), 'EK_NOT_OF_MACHINE');
    const own = encodeEvidence(evidenceFor(fresh()));
    const earlierRun = { ...own, sessionPublicKey: toBase64(newSession().publicKey) };
    refused(await give(verificationId, { evidence: earlierRun }), 'SESSION_NOT_OF_MACHINE');
    refused(await give(verificationId, { evidence: { ...own, quote: 'QUJDRB==' } }), 'EVIDENCE_MALFORMED');
    expect((await collect(verificationId)).json).toMatchObject({ state: 'waiting' });
  });

  it("cannot answer for another machine's challenge", async () => {
    const other = await enrol(newMachine());
    const verificationId = receiptOf(await ask({ challenge: fresh() }, other.machineId));
    refused(await give(verificationId, { failure: 'BUSY' }), 'VERIFICATION_UNKNOWN');
    refused(await give('ab'.repeat(16), { failure: 'BUSY' }), 'VERIFICATION_UNKNOWN');
  });

  it('is the key of the newest enrolment; an earlier run of the client is refused', async () => {
    const [first, second] = [newSession(), newSession()];
    const one = newMachine();
    const { machineId: id } = await enrol(one, first);
    const challengeBy = (by: typeof first) =>
      call(test.url, 'POST', `/v1/machines/${id}/challenges`, { body: { signature: signed('challenge', id, '', by) } });
    expect((await challengeBy(first)).status).toBe(201);
    await enrol(one, second);
    refused(await challengeBy(first), 'SESSION_NOT_OF_MACHINE');
    expect((await challengeBy(second)).status).toBe(201);
  });

  it('needs to enrol again when it enrolled before session keys were kept', async () => {
    const { machineId: id } = await enrol(newMachine());
    await test.db.query('UPDATE machines SET session_public_key = NULL WHERE machine_id = $1', [id]);
    const body = { signature: signed('challenge', id) };
    refused(await call(test.url, 'POST', `/v1/machines/${id}/challenges`, { body }), 'SESSION_NOT_OF_MACHINE');
  });
});

describe("the machine's open question", () => {
  /** Ends by a ring, a hang-up or the end of the server, and never by time. */
  const patient = (limit: number): Doorbells & { readonly entered: () => number } => {
    const bells = createDoorbells(limit);
    let entered = 0;
    return {
      ...bells,
      entered: () => entered,
      enter: (id) => {
        const place = bells.enter(id);
        entered += 1;
        return place === null ? null : { ...place, wait: (_ms, signal) => place.wait(2 ** 31 - 1, signal) };
      },
    };
  };
  const rate = { burst: 100, perSecond: 100, maxRequesters: 10 };
  async function serve(doorbells: Doorbells) {
    const app = await createServer({ ...test.context, doorbells }, { rate, connections: 10 });
    return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
  }
  const pollAt = (url: string) =>
    call(url, 'POST', `/v1/machines/${machineId}/pending`, {
      body: { waitMs: 30_000, signature: signed('pending', machineId) },
    });

  it('does not hold up the end of the server', async () => {
    const doorbells = patient(1);
    const { app, url } = await serve(doorbells);
    const held = pollAt(url).catch(() => 'cut');
    await vi.waitUntil(() => doorbells.entered() === 1, { timeout: 30_000 });
    await app.close();
    await held;
  });

  it('is given up by who hangs up, and makes room', async () => {
    const doorbells = patient(1);
    const { app, url } = await serve(doorbells);
    const first = pollAt(url);
    await vi.waitUntil(() => doorbells.entered() === 1, { timeout: 30_000 });
    // The same machine asks again, as after its line broke: the earlier question ends.
    const second = pollAt(url);
    expect((await first).json).toEqual({ nextPollMs: 0 });
    doorbells.ring(machineId);
    expect((await second).json).toEqual({ nextPollMs: 0 });
    const gone = connectTls({ port: Number(new URL(url).port), rejectUnauthorized: false });
    const body = JSON.stringify({ waitMs: 30_000, signature: signed('pending', machineId) });
    gone.write(
      `POST /v1/machines/${machineId}/pending HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await vi.waitUntil(() => doorbells.entered() === 3, { timeout: 30_000 });
    gone.destroy();
    await vi.waitUntil(() => doorbells.enter('another') !== null, { timeout: 30_000 });
    await app.close();
  });

  it('is answered at once, with when to come again, where all places are taken', async () => {
    const { app, url } = await serve(createDoorbells(0));
    expect((await pollAt(url)).json).toEqual({ nextPollMs: 10_000 });
    const verificationId = receiptOf(await ask({ challenge: fresh() }));
    expect((await pollAt(url)).json).toMatchObject({ verification: { verificationId } });
    await app.close();
  });
});

describe('hostile bodies', () => {
  it('are refused with a code, never with a fault of the broker', async () => {
    const routes = [
      `/v1/machines/${machineId}/verifications`,
      `/v1/machines/${machineId}/pending`,
      `/v1/machines/${machineId}/challenges`,
      `/v1/machines/${machineId}/verifications/${'ab'.repeat(16)}/evidence`,
    ];
    const odd = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constant('\u0000'), fc.constant(2 ** 53));
    const body = fc.oneof(
      odd,
      fc.record(
        {
          challenge: fc.oneof(odd, fc.constant('ab'.repeat(32))),
          credential: fc.oneof(odd, fc.record({ credentialBlob: odd, encryptedSecret: odd })),
          waitMs: odd,
          signature: odd,
          evidence: odd,
          failure: odd,
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), body, async (route, given) => {
        const answer = await call(test.url, 'POST', route, { body: given });
        expect(answer.status, answer.text).toBeLessThan(500);
        expect(answer.text).not.toMatch(/\bat .*\.(ts|js):|node_modules/);
        await test.db.query('DELETE FROM verifications');
      }),
      { numRuns: 150 },
    );
  });
});

describe('the list of machines', () => {
  it('is walked to its end page by page; the last one also names the unattested', async () => {
    await test.db.query(
      `INSERT INTO machines (machine_id, ek_name, ek_public, ek_certificates, attestation, first_seen_at, last_seen_at)
       SELECT lpad(to_hex(number), 64, '0'), 'name ' || number, '', '[]', 'enrolled', $1, $1
       FROM generate_series(1, 1100) AS number`,
      [new Date(test.nowMs).toISOString()],
    );
    const notice = {
      sessionPublicKey: btoa('key'),
      reason: 'TPM_ABSENT',
      detail: '',
      bootMode: 'bios',
      clientVersion: '1',
    };
    expect((await call(test.url, 'POST', '/v1/unattested', { body: notice })).status).toBe(204);
    const stored = await test.db.query('SELECT 1 FROM machines');
    const pages: string[][] = [];
    let next: unknown;
    do {
      const { json } = await call(test.url, 'GET', `/v1/machines${next === undefined ? '' : `?after=${next}`}`);
      pages.push((json.machines as { attestation: string }[]).map(({ attestation }) => attestation));
      next = json.next;
    } while (next !== undefined && pages.length < 10);
    expect(pages.slice(0, -1).map((page) => page.length)).toEqual([500, 500]);
    expect(pages.flat()).toHaveLength(stored.length + 1);
    expect(pages.map((page) => page.includes('unattested'))).toEqual([false, false, true]);
    const client = createBrokerClient({ url: test.url, brokerId: identity.brokerId });
    expect((await client.machines()).machines).toHaveLength(stored.length + 1);
    await test.db.query(`DELETE FROM machines WHERE ek_name LIKE 'name %'`);
  });

  it('comes in pages that hold every machine once', async () => {
    const { json } = await call(test.url, 'GET', '/v1/machines');
    const all = (json.machines as { machineId: string; firstSeenAt: string }[]).filter((one) => one.machineId !== '');
    const middle = all[Math.floor(all.length / 2)];
    const after = `${Date.parse(middle?.firstSeenAt ?? '')}-${middle?.machineId}`;
    const rest = await call(test.url, 'GET', `/v1/machines?after=${after}`);
    const ids = (answer: Answer) => (answer.json.machines as { machineId: string }[]).map((one) => one.machineId);
    expect(ids(rest)).toEqual(all.slice(Math.floor(all.length / 2) + 1).map((one) => one.machineId));
    refused(await call(test.url, 'GET', '/v1/machines?after=1'), 'REQUEST_MALFORMED');
    refused(await call(test.url, 'GET', '/v1/machines?offset=1'), 'REQUEST_MALFORMED');
    refused(await call(test.url, 'GET', `/v1/machines?after=${'9'.repeat(15)}-${fresh()}`), 'REQUEST_MALFORMED');
    expect((await call(test.url, 'GET', `/v1/machines?after=${'9'.repeat(14)}-${fresh()}`)).status).toBe(200);
  });
});
