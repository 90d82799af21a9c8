/** The broker's pairing pages and routes at the wire: who may, how often, and what nobody may. */
import { beforeEach, describe, expect, it } from 'vitest';
import { machineRequestInput } from '../protocol/machine-request.ts';
import { toBase64 } from '../shared/bytes.ts';
import { addAccount } from './accounts.ts';
import { sha256Hex } from './enrolment.ts';
import { MAX_LOOKS } from './pairing.ts';
import { call } from './testing/http-client.ts';
import { newSeller } from './testing/seller-client.ts';
import { enrol, identity, newMachine, newSession, signed, test, useBroker } from './testing/test-broker.ts';

useBroker();
let serial = 0;
let name: string;
let secret: string;
beforeEach(async () => {
  serial += 1;
  name = `seller-${serial}`;
  secret = await addAccount(test.folder, name);
});

const facts = { cpuModel: '<b>CPU</b> & "quotes"', memoryBytes: 2 ** 31, bootMode: 'uefi', clientVersion: '0.1.0' };
const post = (path: string, body: object) => call(test.url, 'POST', path, { body });
const ask = (machineId: string) => post('/v1/pairings', { machineId, facts, signature: signed('pair', machineId) });
const poll = (machineId: string, deviceCode: string) =>
  post('/v1/pairings/token', { machineId, deviceCode, signature: signed('pair-poll', machineId, deviceCode) });

async function waitingMachine() {
  const { machineId } = await enrol(newMachine());
  const { json } = await ask(machineId);
  return { machineId, userCode: String(json.userCode), deviceCode: String(json.deviceCode) };
}

async function signedIn() {
  const seller = newSeller(test.url);
  await seller.signIn(name, secret);
  return seller;
}

describe('the machine', () => {
  it('gets a code only for itself', async () => {
    const [a, b] = [await enrol(newMachine()), await enrol(newMachine())];
    const foreign = { machineId: a.machineId, facts, signature: signed('pair', b.machineId) };
    expect(await post('/v1/pairings', foreign)).toMatchObject({
      status: 403,
      json: { code: 'SESSION_NOT_OF_MACHINE' },
    });
    const unknown = { machineId: '00'.repeat(32), facts, signature: signed('pair', '00'.repeat(32)) };
    expect(await post('/v1/pairings', unknown)).toMatchObject({ status: 404, json: { code: 'MACHINE_UNKNOWN' } });
    const first = await ask(a.machineId);
    expect(first.json).toMatchObject({ status: 'waiting', expiresInSeconds: 900, intervalSeconds: 5 });
    const { deviceCode } = first.json as { deviceCode: string };
    expect((await poll(a.machineId, deviceCode)).json).toEqual({ status: 'authorization_pending' });
    expect((await poll(b.machineId, deviceCode)).json, 'not of this machine').toEqual({ status: 'expired_token' });
  });

  it('is told to slow down, and then to slow down more', async () => {
    const { machineId, deviceCode } = await waitingMachine();
    expect((await poll(machineId, deviceCode)).json.status).toBe('authorization_pending');
    test.nowMs += 1000;
    expect((await poll(machineId, deviceCode)).json.status).toBe('slow_down');
    test.nowMs += 6000;
    expect((await poll(machineId, deviceCode)).json.status, 'ten seconds now').toBe('slow_down');
    test.nowMs += 15_000;
    expect((await poll(machineId, deviceCode)).json.status).toBe('authorization_pending');
    test.nowMs += 900_000;
    expect((await poll(machineId, deviceCode)).json.status).toBe('expired_token');
  });

  it('voids its earlier code with a new one', async () => {
    const { machineId, userCode, deviceCode } = await waitingMachine();
    await ask(machineId);
    expect((await poll(machineId, deviceCode)).json.status).toBe('expired_token');
    expect((await (await signedIn()).submit('/pair/look', { code: userCode })).status).toBe(404);
  });

  it('without a TPM brings its session key, and cannot speak for another id', async () => {
    const session = newSession();
    const machineId = sha256Hex(session.publicKey);
    const sign = (id: string) =>
      toBase64(
        session.sign(machineRequestInput({ purpose: 'pair', machineId: id, subject: '', brokerId: identity.brokerId })),
      );
    const sessionPublicKey = toBase64(session.publicKey);
    const good = await post('/v1/pairings', { machineId, sessionPublicKey, facts, signature: sign(machineId) });
    expect(good.json).toMatchObject({ status: 'waiting' });
    const enrolled = await enrol(newMachine());
    const stolen = { machineId: enrolled.machineId, sessionPublicKey, facts, signature: sign(enrolled.machineId) };
    expect(await post('/v1/pairings', stolen)).toMatchObject({ status: 403, json: { code: 'SESSION_NOT_OF_MACHINE' } });
  });

  it('finds a bounded number of codes outstanding', async () => {
    const answers = [];
    for (let i = 0; i < 11; i += 1) answers.push(await ask((await enrol(newMachine())).machineId));
    expect(answers.slice(0, 10).every(({ status }) => status === 200)).toBe(true);
    expect(answers[10]).toMatchObject({ status: 429, json: { code: 'PAIRINGS_BUSY' } });
  });

  it('is called back at the address it called, and at no other text', async () => {
    const { machineId } = await enrol(newMachine());
    const { json } = await ask(machineId);
    expect(json.verificationUri).toBe(`${test.url}/pair`);
  });
});

describe("the seller's page", () => {
  it('shows nothing of a machine to who has not signed in', async () => {
    const { userCode, machineId } = await waitingMachine();
    const stranger = newSeller(test.url);
    const page = await stranger.open(`/PAIR/${userCode}`);
    expect(page.html).toContain('Sign in');
    for (const path of ['/pair/look', '/pair/decide']) {
      const answer = await stranger.submit(path, { code: userCode, decision: 'confirm' });
      expect(answer.status).toBe(403);
      expect(answer.html).not.toContain(machineId.slice(0, 8));
    }
  });

  it('signs in with the right secret only, and under a new cookie', async () => {
    const seller = newSeller(test.url);
    await seller.open('/pair');
    const before = seller.cookie;
    expect((await seller.submit('/pair/sign-in', { name, secret: 'wrong' })).status).toBe(403);
    expect((await seller.submit('/pair/sign-in', { name: 'nobody', secret })).status).toBe(403);
    expect(seller.cookie).toBe(before);
    const inside = await seller.submit('/pair/sign-in', { name, secret });
    expect(inside.html).toContain(name);
    expect(seller.cookie).not.toBe(before);
    await seller.submit('/pair/sign-out', {});
    expect((await seller.open('/pair')).html).toContain('Sign in');
  });

  it('takes no form that is not its own', async () => {
    const { userCode, machineId, deviceCode } = await waitingMachine();
    const seller = await signedIn();
    for (const csrf of ['', '00'.repeat(32)]) {
      const answer = await seller.submit('/pair/decide', { code: userCode, decision: 'confirm' }, csrf);
      expect(answer.status).toBe(403);
    }
    const elsewhere = newSeller(test.url);
    await elsewhere.open('/pair');
    expect((await elsewhere.submit('/pair/sign-in', { name, secret }, '11'.repeat(32))).status).toBe(403);
    expect((await poll(machineId, deviceCode)).json.status).toBe('authorization_pending');
  });

  it('limits how often codes are tried, by address and by account, right ones too', async () => {
    const seller = await signedIn();
    const { userCode } = await waitingMachine();
    let answers = 0;
    for (let status = 404; status === 404; answers += 1) {
      ({ status } = await seller.submit('/pair/look', { code: 'BBBB-BBBB' }));
    }
    expect(answers).toBeLessThanOrEqual(21);
    const late = await seller.submit('/pair/look', { code: userCode });
    expect(late.status).toBe(429);
    expect(late.html).toMatch(/Please wait \d+ seconds/);
    test.nowMs += 60_000;
    expect((await seller.submit('/pair/look', { code: userCode })).status).toBe(200);
  });

  it('voids a code that was looked at too often', async () => {
    const { userCode, machineId, deviceCode } = await waitingMachine();
    const seller = await signedIn();
    for (let i = 0; i < MAX_LOOKS; i += 1) {
      test.nowMs += 20_000;
      expect((await seller.submit('/pair/look', { code: userCode })).status).toBe(200);
    }
    test.nowMs += 20_000;
    expect((await seller.submit('/pair/look', { code: userCode })).status).toBe(404);
    expect((await poll(machineId, deviceCode)).json.status).toBe('expired_token');
  });

  it('decides once', async () => {
    const { userCode, machineId, deviceCode } = await waitingMachine();
    const seller = await signedIn();
    await seller.submit('/pair/look', { code: userCode });
    const decide = (decision: string) => seller.submit('/pair/decide', { code: userCode, decision });
    const both = await Promise.all([decide('confirm'), decide('refuse')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 410]);
    const decided = (await poll(machineId, deviceCode)).json.status;
    expect(['paired', 'access_denied']).toContain(decided);
    expect((await poll(machineId, deviceCode)).json.status, 'an answer lost on the way comes again').toBe(decided);
  });

  it("never shows a machine's words as markup", async () => {
    const { userCode } = await waitingMachine();
    const seller = await signedIn();
    const { html } = await seller.submit('/pair/look', { code: userCode });
    expect(html).not.toContain('<b>CPU');
    expect(html).toContain('&#60;b&#62;CPU&#60;/b&#62; &#38; &#34;quotes&#34;');
    const echoed = await seller.submit('/pair/look', { code: '"><script>alert(1)</script>' });
    expect(echoed.html).not.toContain('<script');
  });

  it("removes one's own machine and no other's", async () => {
    const { userCode, machineId } = await waitingMachine();
    const seller = await signedIn();
    await seller.submit('/pair/look', { code: userCode });
    await seller.submit('/pair/decide', { code: userCode, decision: 'confirm' });
    expect((await ask(machineId)).json).toEqual({ status: 'paired', account: name, lasting: true });
    const other = newSeller(test.url);
    await other.signIn('other', await addAccount(test.folder, `other`));
    expect((await other.submit('/pair/remove', { machine: machineId })).status).toBe(404);
    expect((await ask(machineId)).json.status).toBe('paired');
    expect((await seller.submit('/pair/remove', { machine: machineId })).status).toBe(200);
    expect((await ask(machineId)).json.status).toBe('waiting');
  });

  it('lets no other page frame it, and no script run', async () => {
    const { headers } = await newSeller(test.url).open('/pair');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['set-cookie']?.[0]).toMatch(
      /^__Host-[a-z-]+=[0-9a-f]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
  });
});
