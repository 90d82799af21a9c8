/** Pairing with nothing left out: the agent on a software TPM, a broker on a TLS socket, a seller at its pages. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestTpm, type TestTpm } from 'tpm2-ts/testing/swtpm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { policyAccepting } from '../attest/policy/policies.ts';
import { addAccount, removeAccount } from '../broker/accounts.ts';
import { type RunningBroker, startBroker } from '../broker/main.ts';
import { someReferenceValues } from '../broker/testing/reference-values.ts';
import { newSeller, type Seller } from '../broker/testing/seller-client.ts';
import { runAgent } from '../sell-client/agent/run-agent.ts';
import { type AgentState, machineIdOf, type PairingState } from '../sell-client/agent/state.ts';
import { createStore } from '../sell-client/agent/store.ts';
import { keepCopy } from '../sell-client/configuration/load-configuration.ts';
import { readPlatform } from '../sell-client/hardware/platform.ts';
import { pairForever } from '../sell-client/pairing/pair-loop.ts';
import { LIVE_PLACES } from '../sell-client/places.ts';
import { TpmAbsentError } from '../sell-client/tpm/find-tpm.ts';

/** Agent and broker share a clock that runs so many times faster, and can be put forward. */
const HASTE = 20;
const began = performance.now();
let skippedMs = 0;
const nowMs = () => Math.round((performance.now() - began) * HASTE + skippedMs);

let folder: string;
let broker: RunningBroker;
let tpm: TestTpm;
let secret: string;
const logged: string[] = [];
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-pairing-'));
  const reference = join(folder, 'reference-values.json');
  await writeFile(reference, JSON.stringify(someReferenceValues));
  tpm = await startTestTpm('unix');
  const start = Date.now();
  broker = await startBroker({
    listen: { host: '127.0.0.1', port: 0 },
    dataFolder: join(folder, 'broker'),
    databaseUrl: null,
    references: [reference],
    trust: [],
    referenceSigners: 'unsigned',
    policy: policyAccepting(['unknown']),
    version: '0.0.0-test',
    now: () => new Date(start + nowMs()),
    log: (line) => logged.push(line),
  });
  secret = await addAccount(broker.dataFolder, 'anna');
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
afterAll(async () => {
  await broker?.close();
  await tpm?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface TestAgent {
  readonly states: readonly AgentState[];
  state(): AgentState;
  reach<Kind extends PairingState['kind']>(
    kind: Kind,
    other?: (pairing: PairingState & { kind: Kind }) => boolean,
  ): Promise<PairingState & { kind: Kind }>;
  stop(): Promise<void>;
}

/** A machine is switched on. */
async function startAgent(withTpm = true): Promise<TestAgent> {
  const own = await mkdtemp(join(folder, 'machine-'));
  const places = {
    ...LIVE_PLACES,
    eventLog: join(own, 'eventlog'),
    imaLog: join(own, 'imalog'),
    configurationCopy: join(own, 'cpushare.json'),
  };
  const configuration = JSON.stringify({ broker: broker.url, brokerPin: broker.brokerId });
  await keepCopy({ bytes: Buffer.from(configuration), source: 'sda' }, places.configurationCopy);
  const store = createStore();
  const states: AgentState[] = [];
  store.subscribe((state) => states.push(state));
  store.dispatch({ type: 'network', network: { kind: 'up', addresses: [{ interface: 'lo', address: '127.0.0.1' }] } });
  store.dispatch({ type: 'accelerator', result: { name: 'tcg', reason: 'a test', tried: [] } });
  const ending = new AbortController();
  const done = runAgent({
    store,
    places,
    platform: await readPlatform(places),
    clientVersion: '0.0.0-test',
    openTpm: () => (withTpm ? tpm.open() : Promise.reject(new TpmAbsentError('TPM_ABSENT', 'no TPM'))),
    nowMs,
    random: Math.random,
    drivesSettled: Promise.resolve(),
    closeMachine: async () => undefined,
    useWifi: () => undefined,
    pair: pairForever,
    pause: (ms) => delay(ms / HASTE, undefined, { signal: ending.signal }).catch(() => undefined),
    signal: ending.signal,
  });
  const stop = async () => {
    ending.abort();
    await done;
  };
  ends.push(stop);
  return {
    states,
    state: store.state,
    reach: async (kind, other = () => true) => {
      const fits = ({ pairing }: AgentState) => pairing.kind === kind && other(pairing as never);
      await store.until(fits, ending.signal);
      return store.state().pairing as never;
    },
    stop,
  };
}

async function signedIn(): Promise<Seller> {
  const seller = newSeller(broker.url);
  expect(await seller.signIn('anna', secret)).toMatchObject({ status: 200 });
  return seller;
}

const look = (seller: Seller, code: string) => seller.submit('/pair/look', { code });

describe('a machine with a TPM', () => {
  it('is asked once: code, facts, yes; after a reboot its broker knows it without a code', async () => {
    const machine = await startAgent();
    const { userCode, verificationUri, verificationUriComplete } = await machine.reach('waiting');
    expect(verificationUri).toBe(`${broker.url}/pair`);
    expect(verificationUriComplete).toBe(`${broker.url}/pair/${userCode}`.toUpperCase());

    // As scanned from the screen: sign in, and the code is there already.
    const seller = newSeller(broker.url);
    expect((await seller.open(verificationUriComplete)).html).toContain('Sign in');
    const typed = await seller.submit('/pair/sign-in', { name: 'anna', secret, code: userCode });
    expect(typed.html).toContain(`value="${userCode}"`);

    const wrong = await look(seller, userCode === 'BBBB-BBBB' ? 'CCCC-CCCC' : 'BBBB-BBBB');
    expect(wrong.status).toBe(404);
    expect(wrong.html).toContain('No machine shows this code now');
    expect(machine.state().pairing.kind).toBe('waiting');

    const shown = await look(seller, ` ${userCode.toLowerCase().replace('-', ' ')}`);
    const machineId = machineIdOf(machine.state()) ?? 'none';
    expect(shown.html).toContain(machineId.slice(0, 8));
    expect(shown.html).toContain(machineId.slice(8));
    expect(shown.html).toContain('127.0.0.1');
    const { cpuModel } = await readPlatform(LIVE_PLACES);
    expect(shown.html.replace(/&#(\d+);/g, (_, number) => String.fromCharCode(number))).toContain(cpuModel);

    const done = await seller.submit('/pair/decide', { code: userCode, decision: 'confirm' });
    expect(done.html).toContain('is yours');
    expect(await machine.reach('paired')).toEqual({ kind: 'paired', account: 'anna', lasting: true });
    expect(logged).toContain(`machine ${machineId} paired with account anna`);
    expect((await look(seller, userCode)).status, 'the code is spent').toBe(404);
    await machine.stop();

    const again = await startAgent();
    expect(await again.reach('paired')).toMatchObject({ account: 'anna', lasting: true });
    expect(again.states.some(({ pairing }) => pairing.kind === 'waiting')).toBe(false);
    expect(machineIdOf(again.state())).toBe(machineId);

    // Its owner gives it up: within minutes it shows a code again.
    expect((await seller.open('/pair')).html).toContain(machineId.slice(0, 8));
    const removed = await seller.submit('/pair/remove', { machine: machineId });
    expect(removed.html).toContain('no longer yours');
    await again.reach('waiting');
  });

  it('shows another code after a refusal, and after the time of one has passed', async () => {
    const machine = await startAgent();
    const first = await machine.reach('waiting');
    const seller = await signedIn();
    await look(seller, first.userCode);
    const refused = await seller.submit('/pair/decide', { code: first.userCode, decision: 'refuse' });
    expect(refused.html).toContain('was refused');
    await machine.reach('denied');
    const second = await machine.reach('waiting');
    expect(second.userCode).not.toBe(first.userCode);

    skippedMs += 900_000;
    const third = await machine.reach('waiting', ({ userCode }) => userCode !== second.userCode);
    expect((await look(await signedIn(), second.userCode)).status).toBe(404);
    expect((await look(await signedIn(), third.userCode)).status).toBe(200);
    expect(machine.states.some(({ pairing }) => pairing.kind === 'paired')).toBe(false);
  });

  it('asks again when its account is gone', async () => {
    const otherSecret = await addAccount(broker.dataFolder, 'ben');
    const machine = await startAgent();
    const { userCode } = await machine.reach('waiting');
    const seller = newSeller(broker.url);
    await seller.signIn('ben', otherSecret);
    await look(seller, userCode);
    await seller.submit('/pair/decide', { code: userCode, decision: 'confirm' });
    await machine.reach('paired', ({ account }) => account === 'ben');
    await removeAccount(broker.dataFolder, 'ben');
    await machine.reach('waiting');
  });
});

describe('a machine without a TPM', () => {
  it('is paired until it is switched off, and is asked again', async () => {
    const machine = await startAgent(false);
    const { userCode } = await machine.reach('waiting');
    const seller = await signedIn();
    const shown = await look(seller, userCode);
    expect(shown.html).toContain('no TPM that works');
    expect(shown.html).toContain('cannot be attested');
    await seller.submit('/pair/decide', { code: userCode, decision: 'confirm' });
    expect(await machine.reach('paired')).toEqual({ kind: 'paired', account: 'anna', lasting: false });
    await machine.stop();
    const again = await startAgent(false);
    await again.reach('waiting');
    expect(again.states.some(({ pairing }) => pairing.kind === 'paired')).toBe(false);
  });
});
