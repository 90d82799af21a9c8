import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES } from '../protocol/messages.ts';
import { toBase64 } from '../shared/bytes.ts';
import { requestErrorStatus } from './errors.ts';
import { createServer } from './server.ts';
import { call } from './testing/http-client.ts';
import { identity, newMachine, newSession, rows, test, useBroker } from './testing/test-broker.ts';

useBroker();

describe('the wire', () => {
  it('shows the key that the pin names, and says who it is', async () => {
    const answer = await call(test.url, 'GET', '/v1/broker');
    expect(answer).toMatchObject({ status: 200, json: { brokerId: identity.brokerId, version: '1.2.3' } });
    expect(answer.pin).toBe(identity.brokerId);
    expect(await call(test.url, 'GET', '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
  });

  it('describes every route in its OpenAPI document', async () => {
    const { json } = await call(test.url, 'GET', '/v1/openapi.json');
    expect(json.openapi).toBe('3.1.0');
    expect(Object.keys(json.paths as object).sort()).toEqual([
      '/healthz',
      '/v1/broker',
      '/v1/broker/keys',
      '/v1/enrolments',
      '/v1/enrolments/{enrolmentId}/activation',
      '/v1/machines',
      '/v1/machines/{machineId}/challenges',
      '/v1/machines/{machineId}/evidence',
      '/v1/machines/{machineId}/keys',
      '/v1/machines/{machineId}/pending',
      '/v1/machines/{machineId}/report',
      '/v1/machines/{machineId}/result',
      '/v1/machines/{machineId}/verifications',
      '/v1/machines/{machineId}/verifications/{verificationId}/evidence',
      '/v1/pairings',
      '/v1/pairings/token',
      '/v1/unattested',
      '/v1/verifications/{verificationId}',
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
      body: { secret: '', sessionPublicKey: toBase64(newSession().publicKey) },
      code: 'ACTIVATION_REFUSED',
    },
    {
      name: 'a session key that is none',
      path: `/v1/enrolments/${'ab'.repeat(16)}/activation`,
      body: { secret: '', sessionPublicKey: 'QUJD' },
      code: 'REQUEST_MALFORMED',
    },
    {
      name: 'a machine id that is none',
      path: '/v1/machines/1/challenges',
      body: { signature: '' },
      code: 'REQUEST_MALFORMED',
    },
    {
      name: 'an unknown machine',
      path: `/v1/machines/${id}/challenges`,
      body: { signature: '' },
      code: 'MACHINE_UNKNOWN',
    },
    { name: 'no signature', path: `/v1/machines/${id}/challenges`, body: {}, code: 'REQUEST_MALFORMED' },
    {
      name: "a verifier's challenge for an unknown machine",
      path: `/v1/machines/${id}/verifications`,
      body: { challenge: id },
      code: 'MACHINE_UNKNOWN',
    },
    {
      name: "a verifier's challenge that is too short",
      path: `/v1/machines/${id}/verifications`,
      body: { challenge: 'ab' },
      code: 'REQUEST_MALFORMED',
    },
    {
      name: 'a credential of another spelling',
      path: `/v1/machines/${id}/verifications`,
      body: { challenge: id, credential: { credentialBlob: 'QUJDRB==', encryptedSecret: '' } },
      code: 'REQUEST_MALFORMED',
    },
    {
      name: 'an unknown machine that asks for work',
      path: `/v1/machines/${id}/pending`,
      body: { waitMs: 0, signature: '' },
      code: 'MACHINE_UNKNOWN',
    },
    {
      name: 'a machine that would wait for ever',
      path: `/v1/machines/${id}/pending`,
      body: { waitMs: 30_001, signature: '' },
      code: 'REQUEST_MALFORMED',
    },
    { name: 'a path that breaks decoding', path: '/v1/machines/%ff/challenges', code: 'REQUEST_MALFORMED' },
    { name: 'an unknown path', path: '/v2', body: {}, code: 'ROUTE_UNKNOWN' },
  ] as const)('refuses $name with $code', async ({ path, code, ...sending }) => {
    const answer = await call(test.url, 'POST', path, sending);
    expect(answer.json).toMatchObject({ code, message: expect.any(String) });
    expect(answer.status).toBe(requestErrorStatus[code]);
    expect(answer.contentType).toContain('application/json');
    expect(answer.text).not.toMatch(/\bat .*\.(ts|js):|node_modules|stack/);
  });

  it('answers bytes that are not HTTP with 400 and closes', async () => {
    const text = await rawExchange(test.url, 'NONSENSE\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('REQUEST_MALFORMED');
  });

  it('survives a client that is not TLS, and one that leaves in the middle of a body', async () => {
    await plainExchange(test.url, 'GET / HTTP/1.1\r\n\r\n');
    const socket = connectTls({ port: Number(new URL(test.url).port), rejectUnauthorized: false });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(
      'POST /v1/enrolments HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
    );
    socket.destroy();
    expect((await call(test.url, 'GET', '/healthz')).status).toBe(200);
  });
});

describe('bounds', () => {
  it('answers 429 to a flood, with how long to wait, and lets the requester in again after that', async () => {
    const rate = { burst: 3, perSecond: 0.5, maxRequesters: 10 };
    const strict = await createServer(test.context, { rate, connections: 10 });
    const strictUrl = await strict.listen({ host: '127.0.0.1', port: 0 });
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await call(strictUrl, 'GET', '/v1/broker')).status);
    const refused = await call(strictUrl, 'GET', '/v1/broker');
    test.nowMs += 2000;
    statuses.push((await call(strictUrl, 'GET', '/v1/broker')).status);
    await strict.close();
    expect(statuses).toEqual([200, 200, 200, 429, 200]);
    expect(refused.json).toMatchObject({ code: 'RATE_LIMITED', nextStep: 'wait 2 s' });
  });

  it('takes no more enrolments and machines than it can remember', async () => {
    const full = await createServer(
      { ...test.context, limits: { ...test.context.limits, machines: 0, outstandingEnrolments: 2 } },
      { rate: { burst: 100, perSecond: 100, maxRequesters: 10 }, connections: 10 },
    );
    const fullUrl = await full.listen({ host: '127.0.0.1', port: 0 });
    const begun = [];
    for (let i = 0; i < 3; i += 1) {
      begun.push(await call(fullUrl, 'POST', '/v1/enrolments', { body: { ...newMachine(), ekCertificates: [] } }));
    }
    const first = begun[0]?.json.enrolmentId;
    const sessionPublicKey = toBase64(newSession().publicKey);
    const body = { secret: toBase64(test.secrets.at(-3) ?? new Uint8Array()), sessionPublicKey };
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
    expect((await call(test.url, 'POST', '/v1/unattested', { body })).status).toBe(204);
    const { json } = await call(test.url, 'GET', '/v1/machines');
    const listed = (json.machines as { machineId: string; attestation: string }[]).find(
      (m) => m.attestation === 'unattested',
    );
    expect(listed).toMatchObject({ reason: 'TPM_ABSENT' });
    expect(await rows('machines', listed?.machineId ?? '')).toBe(0);
    expect((await call(test.url, 'GET', `/v1/machines/${listed?.machineId}/report`)).json.code).toBe('MACHINE_UNKNOWN');
  });
});

describe('a broken database', () => {
  it('answers 500 with a constant text, and tells the operator why', async () => {
    await test.db.query('ALTER TABLE machines RENAME TO gone');
    const answer = await call(test.url, 'GET', '/v1/machines');
    await test.db.query('ALTER TABLE gone RENAME TO machines');
    expect(answer).toMatchObject({ status: 500, json: { code: 'INTERNAL' } });
    expect(answer.text).not.toContain('relation');
    expect(test.logged.at(-1)).toContain('relation "machines" does not exist');
  });
});

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
