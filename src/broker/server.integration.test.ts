/** The broker's wire, on a real TLS socket over a real database. Keys here are not in a TPM: see machine.integration.test.ts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appraise } from '../attest/appraise.ts';
import { nodeAttestCrypto } from '../attest/crypto-node.ts';
import { policyAccepting } from '../attest/policies.ts';
import { GOOD_BOOT, newMachine as newAttester, referenceValuesOf } from '../attest/testing/attester-node.ts';
import { encodeEvidence } from '../protocol/evidence-document.ts';
import { type EvidenceDocument, MAX_BODY_BYTES, ReportDocument } from '../protocol/messages.ts';
import { decodeReport } from '../protocol/report-document.ts';
import { requireShape } from '../protocol/schema-check.ts';
import { fromHex, toBase64 } from '../shared/bytes.ts';
import { CHALLENGE_LIFETIME_MS } from './challenge.ts';
import type { BrokerContext } from './context.ts';
import type { Database } from './db/database.ts';
import { migrate } from './db/migrations.ts';
import { openPglite } from './db/pglite.ts';
import { ENROLMENT_LIFETIME_MS } from './enrolment.ts';
import { requestErrorStatus } from './errors.ts';
import { newIdentityPem, parseIdentity } from './identity.ts';
import { judgeWith } from './judge.ts';
import { createServer } from './server.ts';
import { call } from './testing/http-client.ts';
import { someReferenceValues } from './testing/reference-values.ts';
import { newAk, newEk, publicArea } from './testing/tpm-keys.ts';
import { createUnattestedList } from './unattested.ts';

const identity = parseIdentity(newIdentityPem(), 'memory');
const start = Date.parse('2026-11-21T00:00:00Z');
/** Keys of node:crypto, not of a TPM; what it signs is genuine. */
const attester = newAttester();
const acceptedImage = referenceValuesOf(GOOD_BOOT);
let nowMs = start;
let folder: string;
let db: Database;
let context: BrokerContext;
let app: Awaited<ReturnType<typeof createServer>>;
let url: string;
const logged: string[] = [];
/** Secrets of the credentials made, newest last: what a TPM would have decrypted. */
const secrets: Uint8Array[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-server-'));
  db = await openPglite(join(folder, 'database'));
  await migrate(db);
  const policy = policyAccepting(['software']);
  context = {
    db,
    identity,
    version: '1.2.3',
    now: () => new Date(nowMs),
    makeCredential: ({ secret }) => {
      secrets.push(secret);
      return { credentialBlob: new Uint8Array(70), encryptedSecret: new Uint8Array(70) };
    },
    judge: judgeWith({
      brokerId: identity.brokerId,
      referenceValues: [someReferenceValues, acceptedImage],
      trustAnchors: [attester.authority.certificate],
      policy,
    }),
    quotedPcrs: policy.pcrs,
    unattested: createUnattestedList(10),
    limits: { machines: 1000, outstandingEnrolments: 1000 },
    nextAttestationMs: { accepted: 600_000, refused: 60_000 },
    log: (line) => logged.push(line),
  };
  const rate = { burst: 2000, perSecond: 1000, maxRequesters: 10 };
  app = await createServer(context, { rate, connections: 100 });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app?.close();
  await db?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  nowMs += 10_000_000; // what earlier tests left has expired
});

describe('the wire', () => {
  it('shows the key that the pin names, and says who it is', async () => {
    const answer = await call(url, 'GET', '/v1/broker');
    expect(answer).toMatchObject({ status: 200, json: { brokerId: identity.brokerId, version: '1.2.3' } });
    expect(answer.pin).toBe(identity.brokerId);
    expect(await call(url, 'GET', '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
  });

  it('describes every route in its OpenAPI document', async () => {
    const { json } = await call(url, 'GET', '/v1/openapi.json');
    expect(json.openapi).toBe('3.1.0');
    expect(Object.keys(json.paths as object).sort()).toEqual([
      '/healthz',
      '/v1/broker',
      '/v1/enrolments',
      '/v1/enrolments/{enrolmentId}/activation',
      '/v1/machines',
      '/v1/machines/{machineId}/challenges',
      '/v1/machines/{machineId}/evidence',
      '/v1/machines/{machineId}/report',
      '/v1/unattested',
    ]);
  });

  const id = 'ab'.repeat(32);
  const good = { ekPublic: '', ekCertificates: [], akPublic: '' };
  it.each([
    { name: 'not JSON', path: '/v1/enrolments', raw: '{"ekPublic":', code: 'REQUEST_MALFORMED' },
    {
      name: 'random bytes',
      path: '/v1/enrolments',
      raw: new Uint8Array([0, 255, 1, 254, 7]),
      code: 'REQUEST_MALFORMED',
    },
    { name: 'a prototype', path: '/v1/enrolments', raw: '{"__proto__":{"a":1}}', code: 'REQUEST_MALFORMED' },
    { name: 'an array', path: '/v1/enrolments', raw: '[]', code: 'REQUEST_MALFORMED' },
    { name: 'null', path: '/v1/enrolments', raw: 'null', code: 'REQUEST_MALFORMED' },
    { name: 'no body', path: '/v1/enrolments', code: 'REQUEST_MALFORMED' },
    { name: 'an unknown field', path: '/v1/enrolments', body: { ...good, extra: 1 }, code: 'REQUEST_MALFORMED' },
    { name: 'a missing field', path: '/v1/enrolments', body: { ekPublic: '' }, code: 'REQUEST_MALFORMED' },
    { name: 'a number for text', path: '/v1/enrolments', body: { ...good, akPublic: 7 }, code: 'REQUEST_MALFORMED' },
    {
      name: 'text for a list',
      path: '/v1/enrolments',
      body: { ...good, ekCertificates: '' },
      code: 'REQUEST_MALFORMED',
    },
    {
      name: 'base64 of another spelling',
      path: '/v1/enrolments',
      body: { ...good, ekPublic: 'QUJDRB==' },
      code: 'REQUEST_MALFORMED',
    },
    { name: 'an EK of no bytes', path: '/v1/enrolments', body: good, code: 'PUBLIC_AREA_MALFORMED' },
    {
      name: 'nine certificates',
      path: '/v1/enrolments',
      body: { ...good, ekCertificates: Array(9).fill('') },
      code: 'REQUEST_MALFORMED',
    },
    {
      name: 'another media type',
      path: '/v1/enrolments',
      raw: 'a=b',
      contentType: 'text/plain',
      code: 'MEDIA_TYPE_UNSUPPORTED',
    },
    {
      name: 'a body above the bound',
      path: '/v1/enrolments',
      raw: `"${'a'.repeat(MAX_BODY_BYTES)}"`,
      code: 'BODY_TOO_LARGE',
    },
    {
      name: 'an enrolment id that is none',
      path: '/v1/enrolments/XYZ/activation',
      body: { secret: '' },
      code: 'REQUEST_MALFORMED',
    },
    {
      name: 'an unknown enrolment',
      path: `/v1/enrolments/${'ab'.repeat(16)}/activation`,
      body: { secret: '' },
      code: 'ACTIVATION_REFUSED',
    },
    { name: 'a machine id that is none', path: '/v1/machines/1/challenges', code: 'REQUEST_MALFORMED' },
    { name: 'an unknown machine', path: `/v1/machines/${id}/challenges`, code: 'MACHINE_UNKNOWN' },
    { name: 'a body where none belongs', path: `/v1/machines/${id}/challenges`, body: {}, code: 'REQUEST_MALFORMED' },
    { name: 'a path that breaks decoding', path: '/v1/machines/%ff/challenges', code: 'REQUEST_MALFORMED' },
    { name: 'an unknown path', path: '/v2', body: {}, code: 'ROUTE_UNKNOWN' },
  ] as const)('refuses $name with $code', async ({ path, code, ...sending }) => {
    const answer = await call(url, 'POST', path, sending);
    expect(answer.json).toMatchObject({ code, message: expect.any(String) });
    expect(answer.status).toBe(requestErrorStatus[code]);
    expect(answer.contentType).toContain('application/json');
    expect(answer.text).not.toMatch(/\bat .*\.(ts|js):|node_modules|stack/);
  });

  it('answers bytes that are not HTTP with 400 and closes', async () => {
    const text = await rawExchange(url, 'NONSENSE\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('REQUEST_MALFORMED');
  });

  it('survives a client that is not TLS, and one that leaves in the middle of a body', async () => {
    await plainExchange(url, 'GET / HTTP/1.1\r\n\r\n');
    const socket = connectTls({ port: Number(new URL(url).port), rejectUnauthorized: false });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(
      'POST /v1/enrolments HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    );
    socket.destroy();
    expect((await call(url, 'GET', '/healthz')).status).toBe(200);
  });
});

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
    nowMs += ENROLMENT_LIFETIME_MS;
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
    const made = secrets.length;
    const ak = newAk();
    const loose = publicArea({ ...ak, attributes: { ...ak.attributes, restricted: false } });
    const body = { ekPublic: toBase64(publicArea(newEk())), ekCertificates: [], akPublic: toBase64(loose) };
    expect((await call(url, 'POST', '/v1/enrolments', { body })).json.code).toBe('AK_UNSUITABLE');
    expect(secrets).toHaveLength(made);
  });
});

describe('attestation', () => {
  it('judges once: refused evidence is an answer, its replay is not', async () => {
    const machine = newMachine();
    const { machineId } = await enrol(machine);
    const { challengeId } = await challenge(machineId);
    const answer = await submit(machineId, challengeId, evidenceOf(machine));
    expect(answer, logged.at(-1)).toMatchObject({
      status: 200,
      json: { status: 'refused', nextAttestationMs: 60_000 },
    });
    expect(await submit(machineId, challengeId, evidenceOf(machine))).toMatchObject({
      json: { code: 'CHALLENGE_USED' },
    });
    const report = await call(url, 'GET', `/v1/machines/${machineId}/report`);
    const document = requireShape(ReportDocument, report.json, 'report');
    expect(document).toMatchObject({ machineId, brokerId: identity.brokerId, verdict: { status: 'refused' } });
    expect(document.evidence).toEqual(evidenceOf(machine));
    expect(await listed(machineId)).toMatchObject({ attestation: 'refused', reason: expect.any(String) });
    await enrol(machine);
    expect((await listed(machineId))?.attestation).toBe('enrolled');
  });

  it('accepts a machine that runs the image; a third party judges the report the same without this broker', async () => {
    const prior = attester.attest({ challenge: new Uint8Array(32), brokerId: fromHex(identity.brokerId) });
    const { machineId } = await enrol({ ekPublic: toBase64(prior.ekPublic), akPublic: toBase64(prior.akPublic) });
    const asked = await challenge(machineId);
    const evidence = attester.attest({ challenge: fromHex(asked.challenge), brokerId: fromHex(asked.brokerId) });
    const answer = await submit(machineId, asked.challengeId, encodeEvidence(evidence));
    expect(answer.json, answer.text).toMatchObject({ status: 'accepted', nextAttestationMs: 600_000 });
    expect(await listed(machineId)).toMatchObject({ attestation: 'accepted' });

    const report = decodeReport((await call(url, 'GET', `/v1/machines/${machineId}/report`)).json);
    const expected = {
      challenge: fromHex(asked.challenge),
      brokerId: fromHex(identity.brokerId),
      activation: { kind: 'transcript', transcript: report.activation },
      referenceValues: [acceptedImage],
      trustAnchors: [attester.authority.certificate],
      policy: policyAccepting(['software']),
      time: new Date(nowMs),
    } as const;
    expect(appraise(report.evidence, expected, nodeAttestCrypto).status).toBe('accepted');

    // The same evidence for a later challenge is genuine, and stale.
    const later = await challenge(machineId);
    const replayed = await submit(machineId, later.challengeId, encodeEvidence(evidence));
    expect(replayed.json).toMatchObject({ status: 'refused' });
    const failed = (replayed.json.checks as { name: string; status: string }[]).find(
      (check) => check.status === 'failed',
    );
    expect(failed?.name).toBe('quote-binding');
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
    nowMs += CHALLENGE_LIFETIME_MS;
    expect(await code(second.challengeId)).toBe('CHALLENGE_EXPIRED');
    expect((await call(url, 'GET', `/v1/machines/${machineId}/report`)).json.code).toBe('REPORT_UNKNOWN');
  });

  it('spends the challenge on evidence of another AK, of another EK, and on evidence it cannot read', async () => {
    const machine = newMachine();
    const stranger = newMachine();
    const { machineId } = await enrol(machine);
    const attempts = [
      { evidence: { ...evidenceOf(machine), akPublic: stranger.akPublic }, code: 'AK_NOT_ACTIVATED' },
      { evidence: { ...evidenceOf(machine), akPublic: 'AAAA' }, code: 'AK_NOT_ACTIVATED' },
      { evidence: { ...evidenceOf(machine), ekPublic: stranger.ekPublic }, code: 'EK_NOT_OF_MACHINE' },
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

describe('bounds', () => {
  it('answers 429 to a flood, with how long to wait, and lets the requester in again after that', async () => {
    const rate = { burst: 3, perSecond: 0.5, maxRequesters: 10 };
    const strict = await createServer(context, { rate, connections: 10 });
    const strictUrl = await strict.listen({ host: '127.0.0.1', port: 0 });
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await call(strictUrl, 'GET', '/v1/broker')).status);
    const refused = await call(strictUrl, 'GET', '/v1/broker');
    nowMs += 2000;
    statuses.push((await call(strictUrl, 'GET', '/v1/broker')).status);
    await strict.close();
    expect(statuses).toEqual([200, 200, 200, 429, 200]);
    expect(refused.json).toMatchObject({ code: 'RATE_LIMITED', nextStep: 'wait 2 s' });
  });

  it('takes no more enrolments and machines than it can remember', async () => {
    const full = await createServer(
      { ...context, limits: { machines: 0, outstandingEnrolments: 2 } },
      { rate: { burst: 100, perSecond: 100, maxRequesters: 10 }, connections: 10 },
    );
    const fullUrl = await full.listen({ host: '127.0.0.1', port: 0 });
    const begun = [];
    for (let i = 0; i < 3; i += 1) {
      begun.push(await call(fullUrl, 'POST', '/v1/enrolments', { body: { ...newMachine(), ekCertificates: [] } }));
    }
    const first = begun[0]?.json.enrolmentId;
    const body = { secret: toBase64(secrets.at(-3) ?? new Uint8Array()) };
    const activation = await call(fullUrl, 'POST', `/v1/enrolments/${first}/activation`, { body });
    await full.close();
    expect(begun.map((answer) => answer.status)).toEqual([201, 201, 503]);
    expect(begun[2]?.json.code).toBe('ENROLMENTS_FULL');
    expect(activation).toMatchObject({ status: 503, json: { code: 'MACHINES_FULL' } });
  });
});

describe('a machine that cannot be attested', () => {
  it('is listed as such and never stored', async () => {
    const body = {
      sessionPublicKey: btoa('key'),
      reason: 'TPM_ABSENT',
      detail: '',
      bootMode: 'bios',
      clientVersion: '1',
    };
    expect((await call(url, 'POST', '/v1/unattested', { body })).status).toBe(204);
    const { json } = await call(url, 'GET', '/v1/machines');
    const listed = (json.machines as { machineId: string; attestation: string }[]).find(
      (m) => m.attestation === 'unattested',
    );
    expect(listed).toMatchObject({ reason: 'TPM_ABSENT' });
    expect(await rows('machines', listed?.machineId ?? '')).toBe(0);
    expect((await call(url, 'GET', `/v1/machines/${listed?.machineId}/report`)).json.code).toBe('MACHINE_UNKNOWN');
  });
});

describe('a broken database', () => {
  it('answers 500 with a constant text, and tells the operator why', async () => {
    await db.query('ALTER TABLE machines RENAME TO gone');
    const answer = await call(url, 'GET', '/v1/machines');
    await db.query('ALTER TABLE gone RENAME TO machines');
    expect(answer).toMatchObject({ status: 500, json: { code: 'INTERNAL' } });
    expect(answer.text).not.toContain('relation');
    expect(logged.at(-1)).toContain('relation "machines" does not exist');
  });
});

const newMachine = () => ({ ekPublic: toBase64(publicArea(newEk())), akPublic: toBase64(publicArea(newAk())) });
type TestMachine = ReturnType<typeof newMachine>;

async function begin(machine: TestMachine) {
  const answer = await call(url, 'POST', '/v1/enrolments', { body: { ...machine, ekCertificates: [] } });
  expect(answer.status, answer.text).toBe(201);
  return { enrolmentId: String(answer.json.enrolmentId), secret: secrets.at(-1) ?? new Uint8Array() };
}

const activate = (enrolmentId: string, secret: Uint8Array) =>
  call(url, 'POST', `/v1/enrolments/${enrolmentId}/activation`, { body: { secret: toBase64(secret) } });

async function enrol(machine: TestMachine) {
  const begun = await begin(machine);
  const answer = await activate(begun.enrolmentId, begun.secret);
  expect(answer.status, answer.text).toBe(200);
  return { ...begun, machineId: String(answer.json.machineId) };
}

async function challenge(machineId: string) {
  const answer = await call(url, 'POST', `/v1/machines/${machineId}/challenges`);
  expect(answer.status, answer.text).toBe(201);
  return answer.json as { challengeId: string; challenge: string; brokerId: string };
}

const submit = (machineId: string, challengeId: string, evidence: EvidenceDocument) =>
  call(url, 'POST', `/v1/machines/${machineId}/evidence`, { body: { challengeId, evidence } });

/** Well formed, and proves nothing. */
function evidenceOf(machine: TestMachine): EvidenceDocument {
  return {
    format: 'cpushare-evidence',
    version: 1,
    quote: '',
    signature: '',
    pcrs: { sha256: { '0': '00'.repeat(32) } },
    eventLog: '',
    imaLog: '',
    configuration: '',
    ...machine,
    ekCertificates: [],
    sessionPublicKey: '',
    claims: '',
    claimsSignature: '',
  };
}

async function rows(table: 'machines' | 'activated_keys' | 'reports', machineId: string): Promise<number> {
  return (await db.query(`SELECT 1 FROM ${table} WHERE machine_id = $1`, [machineId])).length;
}

async function listed(machineId: string) {
  const { json } = await call(url, 'GET', '/v1/machines');
  return (json.machines as { machineId: string; attestation: string; reason?: string }[]).find(
    (machine) => machine.machineId === machineId,
  );
}

function rawExchange(baseUrl: string, text: string): Promise<string> {
  const socket = connectTls({ port: Number(new URL(baseUrl).port), rejectUnauthorized: false });
  return exchange(socket, 'secureConnect', text);
}

function plainExchange(baseUrl: string, text: string): Promise<string> {
  return exchange(connect(Number(new URL(baseUrl).port), '127.0.0.1'), 'connect', text);
}

function exchange(socket: Socket, ready: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    socket.once(ready, () => socket.write(text));
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
  });
}
