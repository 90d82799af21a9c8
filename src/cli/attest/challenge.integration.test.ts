/** A buyer's own check through the whole relay: real TPM program, real agent, real broker, the command as a buyer runs it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Verdict } from '../../attest/verdict.ts';
import type { Verification } from '../../protocol/relay-messages.ts';
import { parseReport } from '../../protocol/report-document.ts';
import { toHex } from '../../shared/bytes.ts';
import { attestCommand } from '../attest.ts';
import { createBrokerClient } from '../broker-client.ts';
import { type RelayScene, startRelayScene } from '../testing/relay-scene.ts';
import { runCommand } from '../testing/run-command.ts';

let scene: RelayScene;
let serial = 0;
const out = () => join(scene.folder, `report-${++serial}.json`);

beforeAll(async () => {
  scene = await startRelayScene();
});
afterAll(() => scene?.close());
beforeEach(() => {
  scene.tamper = null;
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

async function run(...args: string[]) {
  const { output, errors, exitCode } = await runCommand(attestCommand, ['attest', ...args]);
  return { output, progress: errors.split('\n'), exitCode };
}

const standing = () => ['--reference', scene.referenceFile, '--trust', scene.trustFile];
const challenge = (broker: string, machineId: string, ...more: string[]) =>
  run(
    'challenge',
    '--broker',
    broker,
    '--broker-pin',
    scene.broker.brokerId,
    '--machine',
    machineId,
    ...standing(),
    ...more,
  );
/** Through the one that lies. */
const throughStandIn = () => challenge(scene.standIn, scene.machineId, '--json');
const firstFailure = (output: string) =>
  (JSON.parse(output) as Verdict).checks.find(({ status }) => status === 'failed')?.code;
const isAnswer = (path: string) => path.startsWith('/v1/verifications/');
const answered = (body: Record<string, unknown>) =>
  body.state === 'answered' ? (body as unknown as Verification) : null;

describe('attest challenge', () => {
  it('accepts the machine on what it saw itself, and writes a report that can be judged again', async () => {
    const report = out();
    const { output, progress, exitCode } = await challenge(scene.broker.url, scene.machineId, '--out', report);
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/^ACCEPTED/);
    expect(output).toContain('by you, through broker');
    expect(output).not.toContain('word of the broker');
    expect(progress[0]).toContain('challenge sent to machine');
    await scene.store.until(({ checks }) => checks.answered > 0, AbortSignal.timeout(30_000));
    expect(scene.store.state().checks.answered).toBeGreaterThan(0);

    const nonce = ['--nonce', toHex(parseReport(await readFile(report)).challenge)];
    const again = await run('verify', report, ...standing(), ...nonce, '--witnessed');
    expect(again).toMatchObject({ exitCode: 0, output: expect.not.stringContaining('word of the broker') });
    // The answer is for the keys that the credential was made for, whatever keys the evidence brings.
    const document = JSON.parse(await readFile(report, 'utf8')) as { buyer: object };
    const otherAk = `000b${'ab'.repeat(32)}`;
    await writeFile(report, JSON.stringify({ ...document, buyer: { ...document.buyer, akName: otherAk } }));
    const swapped = await run('verify', report, ...standing(), ...nonce, '--witnessed', '--json');
    expect([swapped.exitCode, firstFailure(swapped.output)]).toEqual([1, 'ACTIVATION_AK_MISMATCH']);
    await writeFile(report, JSON.stringify(document));
    // Somebody else was not there: for them it is the broker's word, and said to be.
    const others = await run('verify', report, ...standing(), ...nonce);
    expect(others).toMatchObject({ exitCode: 0, output: expect.stringContaining('word of the broker') });
    const explained = await run('explain', report, ...standing(), ...nonce);
    expect(explained.exitCode, explained.output).toBe(0);
    const stale = await run('verify', report, ...standing(), '--nonce', 'ab'.repeat(32), '--witnessed', '--json');
    expect([stale.exitCode, firstFailure(stale.output)]).toEqual([1, 'ACTIVATION_ANSWER_INVALID']);
  });

  it('leaves the attestation between machine and broker as it was', async () => {
    const client = createBrokerClient({ url: scene.broker.url, brokerId: scene.broker.brokerId });
    const before = await client.report(scene.machineId);
    await challenge(scene.broker.url, scene.machineId);
    const after = await client.report(scene.machineId);
    expect(after.challenge).toBe(before.challenge);
    expect((await client.machines()).machines).toMatchObject([{ attestation: 'accepted' }]);
    expect(scene.store.state().attestation.kind).toBe('accepted');
  });

  it('is answered again after the broker was stopped and started, without a new attestation', async () => {
    const client = createBrokerClient({ url: scene.broker.url, brokerId: scene.broker.brokerId });
    const before = await client.report(scene.machineId);
    await scene.restartBroker();
    const { exitCode, output } = await challenge(scene.broker.url, scene.machineId);
    expect(exitCode, output).toBe(0);
    expect((await client.report(scene.machineId)).challenge).toBe(before.challenge);
  });

  it('does not take the report of the broker for one that it made itself', async () => {
    const client = createBrokerClient({ url: scene.broker.url, brokerId: scene.broker.brokerId });
    const report = out();
    const document = await client.report(scene.machineId);
    await writeFile(report, JSON.stringify(document));
    const args = ['verify', report, ...standing(), '--nonce', document.challenge];
    expect((await run(...args)).exitCode).toBe(0);
    await expect(run(...args, '--witnessed')).rejects.toThrow(expect.objectContaining({ code: 'NOT_WITNESSED' }));
  });
});

describe('a broker that lies', () => {
  it('cannot pass on an altered answer, or none', async () => {
    for (const answer of ['00'.repeat(32), undefined]) {
      scene.tamper = ({ path, body, status }) =>
        status !== undefined && isAnswer(path) && answered(body) ? { body: { ...body, answer } } : null;
      const { output, exitCode } = await throughStandIn();
      expect([exitCode, firstFailure(output)]).toEqual([1, 'ACTIVATION_ANSWER_INVALID']);
    }
  });

  it('cannot play back an earlier answer, whole or in part', async () => {
    let earlier: Verification | null = null;
    scene.tamper = ({ path, body, status }) => {
      if (status !== undefined && isAnswer(path)) earlier = answered(body) ?? earlier;
      return null;
    };
    expect((await throughStandIn()).exitCode).toBe(0);
    const { evidence, answer } = earlier as unknown as Verification;
    for (const part of [{ evidence, answer }, { evidence }]) {
      scene.tamper = ({ path, body, status }) =>
        status !== undefined && isAnswer(path) && answered(body) ? { body: { ...body, ...part } } : null;
      const { output, exitCode } = await throughStandIn();
      expect([exitCode, firstFailure(output)]).toEqual([1, 'ACTIVATION_ANSWER_INVALID']);
    }
  });

  it("cannot put the machine's answer to the broker in the place of that to the buyer", async () => {
    const client = createBrokerClient({ url: scene.broker.url, brokerId: scene.broker.brokerId });
    const { evidence } = await client.report(scene.machineId);
    scene.tamper = ({ path, body, status }) =>
      status !== undefined && isAnswer(path) && answered(body) ? { body: { ...body, evidence } } : null;
    const { output, exitCode } = await throughStandIn();
    expect([exitCode, firstFailure(output)]).toEqual([1, 'ACTIVATION_ANSWER_INVALID']);
  });

  it('cannot give the machine another challenge than the buyer sent', async () => {
    scene.tamper = ({ method, path, body, status }) =>
      method === 'POST' && status === undefined && path.endsWith('/verifications')
        ? { body: { ...body, challenge: 'ab'.repeat(32) } }
        : null;
    const { output, exitCode } = await throughStandIn();
    expect([exitCode, firstFailure(output)]).toEqual([1, 'ACTIVATION_ANSWER_INVALID']);
  });

  it('cannot hand out the keys of another machine', async () => {
    const other = scene.machineId.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    scene.tamper = ({ path, body, status }) =>
      status !== undefined && path.endsWith('/keys') ? { status: 200, body: { ...body, machineId: other } } : null;
    await expect(throughStandIn()).rejects.toThrow(expect.objectContaining({ code: 'MACHINE_KEYS_BAD' }));
    const real = await createBrokerClient({ url: scene.broker.url, brokerId: scene.broker.brokerId }).keys(
      scene.machineId,
    );
    scene.tamper = ({ path, status }) =>
      status !== undefined && path.endsWith('/keys') ? { status: 200, body: { ...real, machineId: other } } : null;
    await expect(challenge(scene.standIn, other)).rejects.toThrow(
      expect.objectContaining({ code: 'MACHINE_KEYS_BAD' }),
    );
  });

  it('cannot have a credential of its own opened for the buyer, nor hide that the TPM refused one', async () => {
    scene.tamper = ({ method, path, body, status }) => {
      if (method !== 'POST' || status !== undefined || !path.endsWith('/verifications')) return null;
      const { credentialBlob, encryptedSecret } = body.credential as Record<string, string>;
      const bytes = Buffer.from(credentialBlob ?? '', 'base64');
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      return { body: { ...body, credential: { credentialBlob: bytes.toString('base64'), encryptedSecret } } };
    };
    const refused = { code: 'MACHINE_CANNOT_ANSWER', message: expect.stringContaining('did not open') };
    await expect(throughStandIn()).rejects.toThrow(expect.objectContaining(refused));
  });

  it('can keep silent, and that is what the command says', async () => {
    scene.tamper = ({ path, status }) =>
      status !== undefined && isAnswer(path)
        ? { status: 410, body: { code: 'VERIFICATION_EXPIRED', message: 'too late' } }
        : null;
    await expect(throughStandIn()).rejects.toThrow(expect.objectContaining({ code: 'MACHINE_SILENT' }));
  });
});

describe('what a buyer can get wrong', () => {
  it.each([
    { name: 'a machine that the broker does not know', machine: 'ab'.repeat(32), code: 'BROKER_REFUSED' },
    { name: 'a machine id that is none', machine: 'abc', code: 'MACHINE_ID_BAD' },
    { name: 'an address that is none', broker: 'http://127.0.0.1', code: 'BROKER_URL_BAD' },
  ])('$name', async ({ machine, broker, code }) => {
    const asked = challenge(broker ?? scene.broker.url, machine ?? scene.machineId);
    await expect(asked).rejects.toThrow(expect.objectContaining({ code }));
  });

  it('a pin of another broker, before anything is sent', async () => {
    const args = ['challenge', '--broker', scene.broker.url, '--machine', scene.machineId, ...standing()];
    await expect(run(...args, '--broker-pin', 'ab'.repeat(32))).rejects.toThrow(
      expect.objectContaining({ code: 'BROKER_PIN_MISMATCH' }),
    );
  });

  it('a place that cannot be written: said, and nothing is left there', async () => {
    const asked = challenge(scene.broker.url, scene.machineId, '--out', join(scene.folder, 'none', 'report.json'));
    await expect(asked).rejects.toThrow(expect.objectContaining({ code: 'REPORT_UNWRITABLE' }));
  });
});
