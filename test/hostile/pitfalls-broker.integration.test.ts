/** ATTEST-PITFALLS 46 to 49: what a broker answers to who guesses, swaps credentials, takes over, or floods it. */
import { activateCredential, withKeys } from 'tpm2-ts/attester';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { makeCredential } from 'tpm2-ts/make-credential-node';
import { objectName } from 'tpm2-ts/name';
import { startTestTpm } from 'tpm2-ts/testing/swtpm';
import { describe, expect, it } from 'vitest';
import { createServer } from '../../src/broker/server.ts';
import { call } from '../../src/broker/testing/http-client.ts';
import {
  activate,
  begin,
  challenge,
  enrol,
  evidenceOf,
  newMachine,
  rows,
  submit,
  test,
  useBroker,
} from '../../src/broker/testing/test-broker.ts';
import { newAk, newEk, publicArea } from '../../src/broker/testing/tpm-keys.ts';
import { toBase64, toHex } from '../../src/shared/bytes.ts';

useBroker();

describe('broker', () => {
  it('pitfall 46: a refused activation tells nothing: one text, no secret, no digest of it, no credential', async () => {
    const { enrolmentId, secret } = await begin(newMachine());
    const answers = [
      await activate(enrolmentId, new Uint8Array(32)),
      await activate(enrolmentId, secret),
      await activate('00'.repeat(16), secret),
      await activate((await begin(newMachine())).enrolmentId, secret.slice(1)),
    ];
    const digest = toHex(nodeDigest('sha256', secret));
    for (const answer of answers) {
      expect(answer.text).toBe(answers[0]?.text);
      expect(answer.status).toBe(403);
      for (const told of [toHex(secret), toBase64(secret), digest]) expect(answer.text).not.toContain(told);
    }
    for (const line of test.logged) expect(line).not.toContain(toHex(secret));
  });

  it('pitfall 47: a TPM opens a credential only for its own EK and the AK that was named', async () => {
    const tpm = await startTestTpm();
    try {
      const connection = await tpm.open();
      await withKeys(connection, { ek: 'ecc', ak: 'ecc' }, async ({ ek, ak }) => {
        const secret = new Uint8Array(32).fill(5);
        const good = makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret });
        expect(toHex(await activateCredential(connection, { ek, ak, ...good }))).toBe(toHex(secret));
        const otherAk = objectName(publicArea(newAk()), nodeDigest);
        const forOtherAk = makeCredential({ ekPublic: ek.publicArea, akName: otherAk, secret });
        const forOtherEk = makeCredential({ ekPublic: publicArea(newEk()), akName: ak.name, secret });
        const swapped = { credentialBlob: forOtherAk.credentialBlob, encryptedSecret: good.encryptedSecret };
        const damaged = {
          ...good,
          credentialBlob: good.credentialBlob.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
        };
        for (const wrong of [forOtherAk, forOtherEk, swapped, damaged]) {
          await expect(activateCredential(connection, { ek, ak, ...wrong })).rejects.toMatchObject({
            name: expect.stringMatching(/^TPM_RC_(INTEGRITY|VALUE|SIZE)/),
          });
        }
      });
      await connection.close();
    } finally {
      await tpm.stop();
    }
  });

  it('pitfall 47: no credential is made for an EK of another template', async () => {
    const ek = newEk();
    const { attributes } = ek;
    for (const changed of [
      { ...attributes, decrypt: false },
      { ...attributes, restricted: false },
      { ...attributes, signEncrypt: true },
      { ...attributes, fixedTpm: false },
      { ...attributes, fixedParent: false },
    ]) {
      const made = test.secrets.length;
      const ekPublic = toBase64(publicArea({ ...ek, attributes: changed }));
      const body = { ...newMachine(), ekPublic, ekCertificates: [] };
      expect((await call(test.url, 'POST', '/v1/enrolments', { body })).json.code).toBe('EK_UNSUITABLE');
      expect(test.secrets).toHaveLength(made);
    }
  });

  it("pitfall 48: another TPM cannot take a machine's id: the id is the EK's, and only its holder can activate for it", async () => {
    const victim = newMachine();
    const { machineId } = await enrol(victim);
    const taker = { ...newMachine(), ekPublic: victim.ekPublic };
    const { enrolmentId } = await begin(taker); // the credential is sealed to the victim's EK
    expect((await activate(enrolmentId, new Uint8Array(32).fill(1))).status).toBe(403);
    expect(await rows('activated_keys', machineId)).toBe(1);
    // the taker's own enrolment is another machine, and its key does not speak for the victim
    const own = newMachine();
    const other = await enrol(own);
    expect(other.machineId).not.toBe(machineId);
    const { challengeId } = await challenge(machineId);
    const answer = await submit(machineId, challengeId, evidenceOf({ ...own, ekPublic: victim.ekPublic }));
    expect(answer.json.status ?? answer.json.code).not.toBe('accepted');
    expect((await submit(other.machineId, challengeId, evidenceOf(own))).json.code).toBe('CHALLENGE_UNKNOWN');
  });

  it('pitfall 49: registrations are bounded in number, size and rate; odd types are a 400, not a crash', async () => {
    const full = await createServer(
      { ...test.context, limits: { ...test.context.limits, machines: 1, outstandingEnrolments: 3 } },
      { rate: { burst: 100, perSecond: 100, maxRequesters: 10 }, connections: 10 },
    );
    const url = await full.listen({ host: '127.0.0.1', port: 0 });
    const codes = [];
    for (let index = 0; index < 5; index += 1) {
      const answer = await call(url, 'POST', '/v1/enrolments', { body: { ...newMachine(), ekCertificates: [] } });
      codes.push(answer.json.code ?? answer.status);
    }
    expect(codes).toContain('ENROLMENTS_FULL');
    const odd: unknown[] = [null, 1, '', [], {}, true, 2 ** 53, '\u0000', { toString: 1 }, [[[]]]];
    for (const value of odd) {
      for (const field of ['ekPublic', 'akPublic', 'ekCertificates']) {
        const body = { ...newMachine(), ekCertificates: [], [field]: value };
        const answer = await call(url, 'POST', '/v1/enrolments', { body });
        expect([400, 422, 503, 429, 201]).toContain(answer.status);
        if (!(field === 'ekCertificates' && Array.isArray(value) && value.length === 0)) {
          expect(answer.status, `${field} ${JSON.stringify(value)}`).not.toBe(201);
        }
        expect(answer.text).not.toMatch(/\bat .*\.(ts|js):|node_modules/);
      }
    }
    expect((await call(url, 'GET', '/healthz')).status).toBe(200);
    await full.close();
  });
});
