import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode } from 'tpm2-ts/codec';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { makeCredential } from 'tpm2-ts/make-credential-node';
import { objectName } from 'tpm2-ts/name';
import { startTestTpm, type TestTpm } from 'tpm2-ts/testing/swtpm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { QUOTED_PCRS } from '../../attest/evidence.ts';
import { activationAnswer, answerableSecret } from '../../attest/quote/activation-answer.ts';
import { parseClaims } from '../../attest/quote/claims.ts';
import { qualifyingData } from '../../attest/quote/qualifying-data.ts';
import { decodeEvidence } from '../../protocol/evidence-document.ts';
import type { WifiSettings } from '../../protocol/messages.ts';
import { fromHex, toBase64 } from '../../shared/bytes.ts';
import { keepCopy } from '../configuration/load-configuration.ts';
import { readPlatform } from '../hardware/platform.ts';
import { LIVE_PLACES } from '../places.ts';
import { startTestBroker, type TestBroker } from '../testing/test-broker.ts';
import { TpmAbsentError } from '../tpm/find-tpm.ts';
import { type AgentPorts, runAgent } from './run-agent.ts';
import type { AgentState } from './state.ts';
import { createStore } from './store.ts';

let tpm: TestTpm;
let broker: TestBroker;
let folder: string;
const ends: (() => Promise<void>)[] = [];

/** A TPM each, since a register that was extended stays so until the machine restarts. */
beforeEach(async () => {
  [tpm, broker] = await Promise.all([startTestTpm('unix'), startTestBroker()]);
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await Promise.all([tpm.stop(), broker.stop()]);
});

/** An agent as main.ts wires it, on a software TPM; the network is up and the accelerator is known. */
async function startAgent(options: { openTpm?: AgentPorts['openTpm']; pin?: string; wifi?: WifiSettings } = {}) {
  folder = await mkdtemp(join(tmpdir(), 'sell-client-'));
  const configuration = JSON.stringify({
    broker: broker.url,
    brokerPin: options.pin ?? broker.pin,
    wifi: options.wifi,
  });
  const joined: (WifiSettings | undefined)[] = [];
  const places = {
    ...LIVE_PLACES,
    eventLog: join(folder, 'eventlog'),
    imaLog: join(folder, 'imalog'),
    configurationCopy: join(folder, 'cpushare.json'),
  };
  await keepCopy({ bytes: Buffer.from(configuration), source: 'sda' }, places.configurationCopy);
  await writeFile(places.eventLog, 'event log');
  const store = createStore();
  const states: AgentState[] = [];
  store.subscribe((state) => states.push(state));
  const ending = new AbortController();
  const network = (up: boolean) =>
    store.dispatch({
      type: 'network',
      network: up
        ? { kind: 'up', addresses: [{ interface: 'lo', address: '127.0.0.1' }] }
        : { kind: 'no-link', cards: ['lo'] },
    });
  network(true);
  store.dispatch({ type: 'accelerator', result: { name: 'tcg', reason: 'ran a test guest', tried: [] } });
  const started = Date.now();
  const done = runAgent({
    store,
    places,
    platform: await readPlatform(places),
    clientVersion: '0.1.0',
    openTpm: options.openTpm ?? (() => tpm.open()),
    nowMs: () => Date.now() - started,
    random: Math.random,
    drivesSettled: Promise.resolve(),
    useWifi: (settings) => joined.push(settings),
    pair: async () => undefined,
    closeMachine: async () => undefined,
    pause: (ms) => delay(ms, undefined, { signal: ending.signal }).catch(() => undefined),
    signal: ending.signal,
  });
  ends.push(async () => {
    ending.abort();
    await done;
    await rm(folder, { recursive: true, force: true });
  });
  const reach = (condition: (state: AgentState) => boolean) => store.until(condition, ending.signal);
  return { store, states, reach, network, configuration, joined };
}

const accepted = (state: AgentState) => state.attestation.kind === 'accepted' && state.problem === null;

describe('the agent on a software TPM and a broker behind TLS', () => {
  it('measures its configuration, enrols and is accepted with a quote bound to its session key', async () => {
    const agent = await startAgent();
    await agent.reach(accepted);
    const evidence = broker.proven[0];
    const digest = createHash('sha256').update(agent.configuration).digest();
    const extended = createHash('sha256').update(Buffer.alloc(32)).update(digest).digest();
    expect(Buffer.from(evidence?.pcrs.sha256?.[12] ?? [])).toEqual(extended);
    expect(Buffer.from(evidence?.eventLog ?? []).toString()).toBe('event log');
    expect(parseClaims(evidence?.claims ?? new Uint8Array())).toMatchObject({
      accelerator: { name: 'tcg' },
      configurationSource: 'volume',
    });
    expect(evidence?.ekCertificates.length).toBeGreaterThan(0);
    expect(agent.store.state().tpm).toMatchObject({ kind: 'present', keys: 'ECC P-256' });
  });

  it("joins the seller's radio network, and tells the broker neither its name nor its key", async () => {
    const wifi = { networkName: 'HOMENETWORK', key: 'SECRETWORDS' };
    const agent = await startAgent({ wifi });
    await agent.reach(accepted);
    expect(agent.joined).toEqual([wifi]);
    const evidence = broker.proven[0];
    const file = evidence?.configuration ?? new Uint8Array();
    expect(Buffer.from(file).toString()).toContain('"wifi":"withheld"');
    const digest = createHash('sha256').update(file).digest();
    const extended = createHash('sha256').update(Buffer.alloc(32)).update(digest).digest();
    expect(Buffer.from(evidence?.pcrs.sha256?.[12] ?? [])).toEqual(extended);
    const told = [file, evidence?.claims ?? [], evidence?.eventLog ?? []].map((part) =>
      Buffer.from(part).toString('latin1'),
    );
    expect([JSON.stringify(agent.states), ...told].join()).not.toMatch(/HOMENETWORK|SECRETWORDS/);
  });

  it('shows a refusal with the check that failed, and never as attested', async () => {
    broker.verdict = 'refused';
    const agent = await startAgent();
    await agent.reach((state) => state.attestation.kind === 'refused');
    expect(agent.store.state().attestation).toMatchObject({
      problem: { code: 'INITRD_DIFFERS', nextStep: 'write it again' },
    });
    expect(agent.states.some((state) => state.attestation.kind === 'accepted')).toBe(false);
  });

  it('waits for a broker that is down at boot, says so, and ends attested', async () => {
    await broker.stop();
    const agent = await startAgent();
    await agent.reach((state) => state.problem?.problem.code === 'BROKER_UNREACHABLE');
    await broker.start();
    await agent.reach(accepted);
    expect(broker.enrolments).toBe(1);
  });

  it('quotes again at once when the network returns', async () => {
    const agent = await startAgent();
    await agent.reach(accepted);
    agent.network(false);
    agent.network(true);
    await vi.waitUntil(() => broker.proven.length === 2, { timeout: 30_000 });
    expect(broker.enrolments).toBe(1);
  });

  it('enrols again at a broker that has forgotten it', async () => {
    const agent = await startAgent();
    await agent.reach(accepted);
    // Its own question for what buyers want tells it, long before the next quote is due.
    broker.forgetMachines();
    await vi.waitUntil(() => broker.proven.length >= 2, { timeout: 30_000 });
    expect(broker.enrolments).toBe(2);
    await agent.reach(accepted);
  });

  it('goes on after its own restart: the configuration is not measured twice', async () => {
    const first = await startAgent();
    await first.reach(accepted);
    await ends.pop()?.();
    const second = await startAgent();
    await second.reach(accepted);
    const [before, after] = broker.proven.map((evidence) => evidence.pcrs.sha256?.[12]);
    expect(after).toEqual(before);
    expect(broker.proven[1]?.sessionPublicKey).not.toEqual(broker.proven[0]?.sessionPublicKey);
    expect(broker.proven[1]?.akPublic).toEqual(broker.proven[0]?.akPublic);
  });

  it("answers a buyer's check through the broker: quoted for the buyer, its credential opened by the TPM", async () => {
    const agent = await startAgent();
    await agent.reach(accepted);
    const { ekPublic, akPublic } = broker.proven[0] ?? { ekPublic: new Uint8Array(), akPublic: new Uint8Array() };
    const secret = answerableSecret(new Uint8Array(randomBytes(24)));
    const akName = objectName(akPublic, nodeDigest);
    const ask = (secretInside: Uint8Array) => {
      const made = makeCredential({ ekPublic, akName, secret: secretInside });
      const verificationId = randomBytes(16).toString('hex');
      broker.checks.push({
        verificationId,
        challenge: randomBytes(32).toString('hex'),
        pcrSelection: { bank: 'sha256', pcrs: [...QUOTED_PCRS] },
        credential: {
          credentialBlob: toBase64(made.credentialBlob),
          encryptedSecret: toBase64(made.encryptedSecret),
        },
      });
      return verificationId;
    };
    // As an enrolment's: what the broker wraps for itself is not answered.
    const foreign = ask(new Uint8Array(randomBytes(32)));
    const good = ask(secret);
    const { challenge } = broker.checks[1] ?? { challenge: '' };
    await vi.waitUntil(() => broker.checked.has(good), { timeout: 90_000 });
    expect(broker.checked.get(foreign)).toMatchObject({ failure: 'CREDENTIAL_REFUSED' });
    const given = broker.checked.get(good);
    const evidence = decodeEvidence(given?.evidence);
    const answered = activationAnswer(secret, { ...evidence, challenge: fromHex(challenge) }, nodeAttestCrypto);
    expect(given?.answer).toBe(Buffer.from(answered).toString('hex'));
    expect(JSON.stringify(given)).not.toContain(Buffer.from(secret).toString('base64').slice(0, 40));
    const quote = decode(tpmsAttest, evidence.quote);
    const binding = { challenge: fromHex(challenge), brokerId: fromHex(broker.pin), ...evidence };
    const forBuyer = qualifyingData({ ...binding, role: 'seller-to-buyer' }, nodeAttestCrypto);
    expect(Buffer.from(quote.extraData)).toEqual(Buffer.from(forBuyer));
    await agent.reach((state) => state.checks.answered === 1 && !state.checks.answering);
    expect(agent.states.some((state) => state.checks.answering)).toBe(true);
    await agent.reach(accepted);
  });

  it('sends nothing to a broker whose key is not the pinned one', async () => {
    const agent = await startAgent({ pin: '00'.repeat(32) });
    await agent.reach((state) => state.problem?.problem.code === 'BROKER_PIN_MISMATCH');
    expect(broker.requests).toBe(0);
  });

  it('tells the broker that a machine without a TPM cannot be attested', async () => {
    const absent = new TpmAbsentError('TPM_ABSENT', 'no TPM', { nextStep: 'turn it on' });
    const agent = await startAgent({ openTpm: () => Promise.reject(absent) });
    await vi.waitUntil(() => broker.notices.length === 1, { timeout: 30_000 });
    expect(broker.notices[0]).toMatchObject({ reason: 'TPM_ABSENT', clientVersion: '0.1.0' });
    expect(agent.store.state().attestation).toMatchObject({ kind: 'unattested', problem: { nextStep: 'turn it on' } });
    expect(broker.enrolments).toBe(0);
  });
});
