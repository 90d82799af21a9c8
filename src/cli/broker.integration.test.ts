/**
 * The broker as its operator runs it, a process on a folder, and a machine with a real software TPM: killed in the middle
 * of an enrolment, started again, and nothing is lost or stored twice.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Ak, activateCredential, createAk, createEk, type Ek, quote } from 'tpm2-ts/attester';
import type { Tpm } from 'tpm2-ts/command';
import { chooseEk } from 'tpm2-ts/ek-certificates';
import { readPcrs } from 'tpm2-ts/facts';
import { openSwtpm } from 'tpm2-ts/transport-swtpm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../../scripts/run/child.ts';
import { manufactureTpm } from '../../scripts/run/swtpm.ts';
import { waitFor, waitForPath } from '../../scripts/run/wait.ts';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import { type Evidence, QUOTED_PCRS } from '../attest/evidence.ts';
import { verifyActivationTranscript } from '../attest/quote/activation.ts';
import { encodeClaims } from '../attest/quote/claims.ts';
import { qualifyingData } from '../attest/quote/qualifying-data.ts';
import { call } from '../broker/testing/http-client.ts';
import { someReferenceValues } from '../broker/testing/reference-values.ts';
import { encodeEvidence } from '../protocol/evidence-document.ts';
import { machineRequestInput } from '../protocol/machine-request.ts';
import type { EvidenceAnswer, MachineList } from '../protocol/messages.ts';
import { parseReport } from '../protocol/report-document.ts';
import { fromBase64, fromHex, toBase64, toHex } from '../shared/bytes.ts';
import { compileBrokerCommand } from './testing/compile-broker-command.ts';

const session = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const sessionPublicKey = new Uint8Array(session.publicKey.export({ type: 'spki', format: 'der' }));
const signWithSession = (data: Uint8Array) =>
  new Uint8Array(sign('sha256', data, { key: session.privateKey, dsaEncoding: 'ieee-p1363' }));

let folder: string;
/** The command compiled from the source under test, so that a stale compile is never what runs. */
let program: string;
let reference: string;
let trust: string;
let tpmProcess: Child;
let tpm: Tpm;
let ek: Ek;
let ekCertificates: readonly Uint8Array[];
let ak: Ak;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-broker-'));
  program = await compileBrokerCommand();
  reference = join(folder, 'reference-values.json');
  trust = join(folder, 'trust.pem');
  await writeFile(reference, JSON.stringify(someReferenceValues));
  await writeFile(trust, await manufactureTpm(join(folder, 'tpm')));
  const path = join(folder, 'tpm.sock');
  tpmProcess = await startChild(
    'swtpm',
    [
      'socket',
      '--tpm2',
      '--tpmstate',
      `dir=${join(folder, 'tpm/state')}`,
      '--server',
      `type=unixio,path=${path}`,
      '--flags',
      'not-need-init,startup-clear',
    ],
    { debianPackage: 'swtpm' },
  );
  await waitForPath(path, tpmProcess);
  tpm = await openSwtpm({ path });
  const chosen = await chooseEk(tpm);
  ekCertificates = chosen.certificates;
  ek = await createEk(tpm, chosen.kind);
  ak = await createAk(tpm, 'ecc');
});
afterAll(async () => {
  await tpm?.close();
  await tpmProcess?.stop();
  if (program) await rm(program, { force: true });
  await rm(folder, { recursive: true, force: true });
});

describe('a machine with a software TPM', () => {
  it('ends enrolled once, though the broker is killed before and after its activation', async () => {
    const data = join(folder, 'killed');
    const first = await serve(data);
    const enrolment = await beginEnrolment(first.url);
    await kill(first);

    const second = await serve(data);
    expect(second.brokerId).toBe(first.brokerId);
    const activated = await activate(second.url, enrolment);
    expect(activated).toMatchObject({ status: 200 });
    await kill(second);

    const third = await serve(data);
    expect((await activate(third.url, enrolment)).json).toEqual(activated.json);
    const again = await activate(third.url, await beginEnrolment(third.url));
    expect(again.json).toEqual(activated.json);
    expect(await machines(third.url)).toMatchObject([{ machineId: activated.json.machineId, attestation: 'enrolled' }]);
    expect((await stat(data)).mode & 0o077).toBe(0);
    await third.child.stop(10_000);
    expect((await third.child.exited).exitCode).toBe(0);
  });

  it('is judged on a genuine quote; the report re-proves who vouches for the key; a replay is refused', async () => {
    const broker = await serve(join(folder, 'judged'));
    const { machineId } = (await activate(broker.url, await beginEnrolment(broker.url))).json as { machineId: string };
    const input = machineRequestInput({ purpose: 'challenge', brokerId: broker.brokerId, machineId, subject: '' });
    const body = { signature: toBase64(signWithSession(input)) };
    const asked = await call(broker.url, 'POST', `/v1/machines/${machineId}/challenges`, { body });
    const { challengeId, challenge, brokerId } = asked.json as Record<'challengeId' | 'challenge' | 'brokerId', string>;
    const evidence = encodeEvidence(await evidenceFor(challenge, brokerId));
    const submit = () =>
      call(broker.url, 'POST', `/v1/machines/${machineId}/evidence`, { body: { challengeId, evidence } });

    const answer = (await submit()).json as EvidenceAnswer;
    const passed = answer.checks.filter((check) => check.status === 'passed').map((check) => check.name);
    const failed = answer.checks.filter((check) => check.status === 'failed').map((check) => check.name);
    expect(answer.status).toBe('refused');
    expect(passed).toEqual(
      expect.arrayContaining([
        'keys',
        'ak-attributes',
        'activation',
        'quote-signature',
        'quote-binding',
        'quote-values',
        'claims',
      ]),
    );
    // This TPM measured no boot: there is no event log, and that is what it is refused for.
    expect(failed[0]).toBe('boot-measured');
    expect((await submit()).json.code).toBe('CHALLENGE_USED');

    const report = parseReport((await call(broker.url, 'GET', `/v1/machines/${machineId}/report`)).text);
    const statement = verifyActivationTranscript(report.activation, fromHex(broker.brokerId), nodeAttestCrypto);
    expect(statement).toMatchObject({ ekName: toHex(ek.name), akName: toHex(ak.name) });
    await broker.child.stop(10_000);
  });

  it('cannot open a credential that was made for another AK', async () => {
    const broker = await serve(join(folder, 'swapped'));
    const other = await createAk(tpm, 'ecc', 'another key');
    const credential = await beginEnrolment(broker.url, other);
    await other.flush();
    await expect(activate(broker.url, credential)).rejects.toMatchObject({ name: 'TPM_RC_INTEGRITY' });
    expect(await machines(broker.url)).toEqual([]);
    await broker.child.stop(10_000);
  });
});

describe('cpushare broker serve', () => {
  it.each([
    { name: 'no reference values', args: () => ['--trust', trust], code: 'REFERENCE_MISSING' },
    {
      name: 'reference values that are none',
      args: () => ['--reference', trust, '--trust', trust],
      code: 'REFERENCE_UNREADABLE',
    },
    { name: 'no trust', args: () => ['--reference', reference], code: 'TRUST_MISSING' },
    { name: 'a bad address', args: () => good('--listen', '42007'), code: 'LISTEN_BAD' },
    {
      name: 'no database server',
      args: () => good('--database', 'postgres://a:hush@127.0.0.1:9/b'),
      code: 'DATABASE_UNREACHABLE',
    },
  ])('ends with one message and the next step on $name', async ({ args, code }) => {
    const { exitCode, stderr, stdout } = await run([...args(), '--data', join(folder, 'unstarted')]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`[${code}]`);
    expect(stderr).toContain('Next step: ');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr).not.toContain('hush');
    expect(stdout).toBe('');
  });

  it('names the port that another program holds, and leaves the folder free', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const data = join(folder, 'port');
    const { exitCode, stderr } = await run([...good('--listen', `127.0.0.1:${port}`), '--data', data]);
    holder.close();
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken`);
    const broker = await serve(data);
    const twin = await run([...good('--listen', '127.0.0.1:0'), '--data', data]);
    expect(twin).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[DATA_FOLDER_IN_USE]') });
    await broker.child.stop(10_000);
  });

  it('starts whole on a folder where its first start was killed half way', async () => {
    const data = join(folder, 'half');
    const args = ['broker', 'serve', '--accept-class', 'software', '--data', data, ...good('--listen', '127.0.0.1:0')];
    const child = await startChild(process.execPath, [program, ...args], { debianPackage: 'nodejs' });
    const halfMade = async () =>
      (await readdir(data).catch((): string[] => [])).find(
        (name) => name.endsWith('.new') && name.startsWith('database'),
      );
    await waitFor(halfMade, { what: 'the half-made database', timeoutMs: 60_000, pollMs: 20, whileRunning: child });
    process.kill(child.pid, 'SIGKILL');
    await child.exited;
    const broker = await serve(data);
    expect(await machines(broker.url)).toEqual([]);
    expect((await readdir(data)).sort()).toEqual(['broker-identity.pem', 'database']);
    await broker.child.stop(10_000);
  });

  it('has no default for the TPM classes it accepts', async () => {
    const { exitCode, stderr } = await execa(process.execPath, [program, 'broker', 'serve'], { reject: false });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--accept-class');
  });
});

const good = (...more: string[]) => ['--reference', reference, '--trust', trust, ...more];
const run = (args: readonly string[]) =>
  execa(process.execPath, [program, 'broker', 'serve', '--accept-class', 'software', ...args], { reject: false });

interface Serving {
  readonly url: string;
  readonly brokerId: string;
  readonly child: Child;
}

async function serve(data: string): Promise<Serving> {
  let ready: { url: string; brokerId: string } | undefined;
  const args = [
    'broker',
    'serve',
    '--json',
    '--accept-class',
    'software',
    '--data',
    data,
    ...good('--listen', '127.0.0.1:0'),
  ];
  const child = await startChild(process.execPath, [program, ...args], {
    debianPackage: 'nodejs',
    onLine: (line) => {
      ready ??= JSON.parse(line) as { url: string; brokerId: string };
    },
  });
  const { url, brokerId } = await waitFor(() => ready, { what: 'the broker', timeoutMs: 60_000, whileRunning: child });
  return { url, brokerId, child };
}

async function kill({ child }: Serving): Promise<void> {
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
}

interface Begun {
  readonly enrolmentId: string;
  readonly credentialBlob: string;
  readonly encryptedSecret: string;
}

async function beginEnrolment(url: string, key: Ak = ak): Promise<Begun> {
  const body = {
    ekPublic: toBase64(ek.publicArea),
    ekCertificates: ekCertificates.map(toBase64),
    akPublic: toBase64(key.publicArea),
  };
  const answer = await call(url, 'POST', '/v1/enrolments', { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.json as unknown as Begun;
}

async function activate(url: string, begun: Begun) {
  const credentialBlob = fromBase64(begun.credentialBlob);
  const encryptedSecret = fromBase64(begun.encryptedSecret);
  const secret = await activateCredential(tpm, { ek, ak, credentialBlob, encryptedSecret });
  const body = { secret: toBase64(secret), sessionPublicKey: toBase64(sessionPublicKey) };
  return call(url, 'POST', `/v1/enrolments/${begun.enrolmentId}/activation`, { body });
}

async function machines(url: string): Promise<MachineList['machines']> {
  return ((await call(url, 'GET', '/v1/machines')).json as unknown as MachineList).machines;
}

async function evidenceFor(challenge: string, brokerId: string): Promise<Evidence> {
  const claims = encodeClaims({
    clientVersion: '0.1.0',
    challenge,
    accelerator: { name: 'tcg', reason: 'a test' },
    cpuModel: 'none',
    memoryBytes: 0,
    secureBoot: null,
    bootMode: 'uefi',
    uptimeMs: 1,
  });
  const binding = {
    challenge: fromHex(challenge),
    brokerId: fromHex(brokerId),
    sessionPublicKey,
    role: 'seller',
    claims,
  } as const;
  const selection = [{ hash: 'sha256', pcrs: QUOTED_PCRS }] as const;
  const { quoted, signature } = await quote(tpm, ak, selection, qualifyingData(binding, nodeAttestCrypto));
  const values = await readPcrs(tpm, 'sha256', QUOTED_PCRS);
  return {
    quote: quoted,
    signature,
    pcrs: { sha256: Object.fromEntries(values) },
    eventLog: new Uint8Array(),
    imaLog: new Uint8Array(),
    configuration: new Uint8Array(),
    akPublic: ak.publicArea,
    ekPublic: ek.publicArea,
    ekCertificates,
    sessionPublicKey,
    claims,
  };
}
