/**
 * All parties of a buyer's check, in this process and with nothing left out: a software TPM that measured a small image, the
 * sell client's agent on it, a broker on a TLS socket with an embedded database, and a stand-in with the broker's own key
 * that changes what it likes.
 */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pcrExtend } from 'tpm2-ts/commands-state';
import { readPcrs } from 'tpm2-ts/facts';
import { startTestTpm, type TestTpm } from 'tpm2-ts/testing/swtpm';
import { nodeAttestCrypto as crypto } from '../../attest/crypto/crypto-node.ts';
import { QUOTED_PCRS } from '../../attest/evidence.ts';
import { policyAccepting } from '../../attest/policy/policies.ts';
import { bootEvents, GOOD_BOOT, referenceValuesOf } from '../../attest/testing/boot-node.ts';
import { imaEntry, writeEventLog } from '../../attest/testing/event-log-writer.ts';
import { type RunningBroker, startBroker } from '../../broker/main.ts';
import { call } from '../../broker/testing/http-client.ts';
import { runAgent } from '../../sell-client/agent/run-agent.ts';
import { machineIdOf } from '../../sell-client/agent/state.ts';
import { createStore, type Store } from '../../sell-client/agent/store.ts';
import { keepCopy } from '../../sell-client/configuration/load-configuration.ts';
import { readPlatform } from '../../sell-client/hardware/platform.ts';
import { LIVE_PLACES } from '../../sell-client/places.ts';
import { concatBytes } from '../../shared/bytes.ts';

/** The agent's clock runs so many times faster: it may answer a few checks a minute, and the tests ask for more. */
const HASTE = 5000;

/** Changes one answer of the broker, or one request to it; null keeps it. */
export type Tamper = (exchange: {
  readonly method: string;
  readonly path: string;
  /** The request's body, then, with `status`, the answer's. */
  readonly body: Record<string, unknown>;
  readonly status?: number;
}) => { readonly status?: number; readonly body: object } | null;

export interface RelayScene {
  readonly folder: string;
  readonly broker: RunningBroker;
  /** Accepted by the broker before the scene is handed over. */
  readonly machineId: string;
  readonly store: Store;
  readonly referenceFile: string;
  readonly trustFile: string;
  /** Address of the stand-in; without a `tamper` it passes everything on. */
  readonly standIn: string;
  tamper: Tamper | null;
  /** On the same port, folder and key. */
  restartBroker(): Promise<void>;
  close(): Promise<void>;
}

export async function startRelayScene(): Promise<RelayScene> {
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-relay-'));
  const tpm = await startTestTpm('unix');
  const places = {
    ...LIVE_PLACES,
    eventLog: join(folder, 'eventlog'),
    imaLog: join(folder, 'imalog'),
    configurationCopy: join(folder, 'cpushare.json'),
  };
  await boot(tpm, places);
  const referenceFile = join(folder, 'reference-values.json');
  const trustFile = join(folder, 'trust.pem');
  await writeFile(referenceFile, JSON.stringify(referenceValuesOf(GOOD_BOOT)));
  const authority = new X509Certificate(await readFile(join(tpm.folder, 'issuercert.pem')));
  await writeFile(trustFile, authority.toString());
  const dataFolder = join(folder, 'broker');
  const serve = (port: number) =>
    startBroker({
      listen: { host: '127.0.0.1', port },
      dataFolder,
      databaseUrl: null,
      references: [referenceFile],
      trust: [trustFile],
      referenceSigners: 'unsigned',
      policy: policyAccepting(['software']),
      version: '0.0.0-test',
      log: () => undefined,
      verifications: { total: 256, perMachine: 4, perRequester: 256, credentials: 256 },
    });
  const broker = await serve(0);
  let running = broker;
  const configuration = JSON.stringify({ broker: broker.url, brokerPin: broker.brokerId });
  await keepCopy({ bytes: Buffer.from(configuration), source: 'sda' }, places.configurationCopy);

  const ending = new AbortController();
  const store = createStore();
  store.dispatch({
    type: 'network',
    network: { kind: 'up', addresses: [{ interface: 'lo', address: '127.0.0.1' }] },
  });
  store.dispatch({ type: 'accelerator', result: { name: 'tcg', reason: 'a test', tried: [] } });
  const started = performance.now();
  const agent = runAgent({
    store,
    places,
    platform: await readPlatform(places),
    clientVersion: '0.0.0-test',
    openTpm: () => tpm.open(),
    nowMs: () => Math.round((performance.now() - started) * HASTE),
    random: Math.random,
    drivesSettled: Promise.resolve(),
    useWifi: () => undefined,
    pair: async () => undefined,
    closeMachine: async () => undefined,
    pause: (ms) => delay(ms / HASTE, undefined, { signal: ending.signal }).catch(() => undefined),
    signal: ending.signal,
  });
  await store.until(
    ({ attestation }) => attestation.kind === 'accepted' || attestation.kind === 'refused',
    ending.signal,
  );
  const { attestation } = store.state();
  if (attestation.kind !== 'accepted') throw new Error(`the machine ended ${JSON.stringify(attestation)}`);

  const scene = { tamper: null as Tamper | null };
  const standIn = await startStandIn(broker.url, join(dataFolder, 'broker-identity.pem'), scene);
  return Object.assign(scene, {
    folder,
    broker,
    machineId: machineIdOf(store.state()) ?? '',
    store,
    referenceFile,
    trustFile,
    standIn: standIn.url,
    restartBroker: async () => {
      await running.close();
      running = await serve(Number(new URL(broker.url).port));
    },
    close: async () => {
      ending.abort();
      await agent;
      await standIn.close();
      await running.close();
      await tpm.stop();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** Measures a small image into the TPM as firmware, boot loader and kernel would, and leaves their logs behind. */
async function boot(machine: TestTpm, places: { readonly eventLog: string; readonly imaLog: string }): Promise<void> {
  const tpm = await machine.open();
  const extend = (pcr: number, digest: Uint8Array) => pcrExtend(tpm, { pcr, digests: [{ hash: 'sha256', digest }] });
  const events = bootEvents(GOOD_BOOT);
  for (const { pcr, measured, data } of events) await extend(pcr, crypto.hash('sha256', measured ?? data));
  const early = await readPcrs(tpm, 'sha256', QUOTED_PCRS);
  const values = QUOTED_PCRS.slice(0, 10).map((pcr) => early.get(pcr) ?? new Uint8Array());
  const ima = imaEntry(crypto.hash('sha256', concatBytes(...values)), 'boot_aggregate', crypto);
  await extend(10, ima.extended);
  await tpm.close();
  await writeFile(places.eventLog, writeEventLog(events, crypto));
  await writeFile(places.imaLog, ima.bytes);
}

/** What a broker that lies would be: it has the pinned key, and whatever passes through it, it may change. */
async function startStandIn(brokerUrl: string, identityFile: string, scene: { tamper: Tamper | null }) {
  const pem = await readFile(identityFile, 'utf8');
  const server = createServer({ key: pem, cert: pem }, async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const { method = 'GET', url: path = '/' } = request;
    const given = parts.length === 0 ? {} : (JSON.parse(Buffer.concat(parts).toString('utf8')) as object);
    const body = scene.tamper?.({ method, path, body: { ...given } })?.body ?? given;
    const answer = await call(brokerUrl, method, path, method === 'GET' ? {} : { body });
    const changed = scene.tamper?.({ method, path, body: answer.json, status: answer.status }) ?? null;
    const text = changed === null ? answer.text : JSON.stringify(changed.body);
    response.writeHead(changed?.status ?? answer.status, { 'content-type': 'application/json' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
