/** From a bare machine to one that attests for ever: what runs beside what, and what waits for what. */
import { readFile } from 'node:fs/promises';
import type { Tpm } from 'tpm2-ts/command';
import type { MachineClaims } from '../../attest/evidence.ts';
import type { SellerConfiguration, WifiSettings } from '../../protocol/messages.ts';
import { toBase64, toHex } from '../../shared/bytes.ts';
import { brokerClient } from '../broker/broker-client.ts';
import {
  configurationSource,
  lookForConfiguration,
  type RawConfiguration,
  useConfiguration,
} from '../configuration/load-configuration.ts';
import { measuredForm } from '../configuration/measured-form.ts';
import { readMemoryUse } from '../hardware/memory.ts';
import { type Platform, readUptimeMs } from '../hardware/platform.ts';
import type { Claimant, PairingPorts } from '../pairing/pair-loop.ts';
import type { Places } from '../places.ts';
import { TpmAbsentError } from '../tpm/find-tpm.ts';
import { openMachineTpm, pcrBank } from '../tpm/open-machine-tpm.ts';
import { createAlarm } from './alarm.ts';
import { attestForever, type LoopPorts } from './attest-loop.ts';
import { answerChecksForever, type CheckPorts } from './check-loop.ts';
import { sha256 } from './evidence.ts';
import { toProblem } from './problem.ts';
import { createSessionKey, type SessionKey } from './session-key.ts';
import { machineIdOf } from './state.ts';
import type { Store } from './store.ts';
import { tpmKeeper } from './tpm-keeper.ts';
import { reportForever } from './unattested.ts';

export interface AgentPorts {
  readonly store: Store;
  readonly places: Places;
  readonly platform: Platform;
  readonly clientVersion: string;
  /** Opens the TPM. @throws TpmAbsentError */
  openTpm(): Promise<Tpm>;
  nowMs(): number;
  random(): number;
  pause(ms: number): Promise<void>;
  /** No driver and no device from then on. Never resolves on a machine that stands open. */
  closeMachine(): Promise<void>;
  /** Ends when no more drives are to be expected: see `Look` of load-configuration. */
  readonly drivesSettled: Promise<void>;
  /** Joins the radio network of the configuration; absent settings mean none. Called once. */
  useWifi(settings: WifiSettings | undefined): void;
  /** Finds out whose machine this is, and shows a code until somebody says so: `pairForever`. */
  pair(claimant: Claimant, ports: PairingPorts): Promise<void>;
  readonly signal: AbortSignal;
}

const CONFIGURATION_LOOK_MS = 1000;
/** A stick shows up seconds after the start; only then is its absence worth a word. */
const CONFIGURATION_PATIENCE_MS = 15_000;
/** The first quote waits this long for the accelerator's name; a slower probe is named by a second quote right after it. */
const ACCELERATOR_PATIENCE_MS = 15_000;

export async function runAgent(ports: AgentPorts): Promise<void> {
  const { store, signal } = ports;
  const keeper = tpmKeeper(ports.openTpm, openMachineTpm);
  try {
    const tpm = await keeper.first().catch((error: unknown) => ({ failed: error }));
    if ('failed' in tpm) store.dispatch({ type: 'tpm', tpm: tpmFailure(tpm.failed) });
    else
      store.dispatch({
        type: 'tpm',
        tpm: { kind: 'present', manufacturer: tpm.machine.manufacturer, keys: tpm.machine.keys },
      });

    const raw = await waitForConfiguration(ports);
    if (raw === null) return;
    const bank = 'failed' in tpm ? null : pcrBank(tpm.raw);
    const configuration = await useConfiguration(raw, ports.places.configurationCopy, bank).catch((error: unknown) => {
      store.dispatch({ type: 'configuration', configuration: { kind: 'rejected', problem: toProblem(error) } });
      return null;
    });
    // Measured and wrong: only a restart can bring another one.
    if (configuration === null) return await store.until(() => false, signal);
    const source = raw.source;
    store.dispatch({ type: 'configuration', configuration: { kind: 'loaded', broker: configuration.broker, source } });

    ports.useWifi(configuration.wifi);

    await Promise.all(['failed' in tpm ? undefined : patience(ports), closed(ports)]);
    if (signal.aborted) return;
    const loop = loopPorts(ports);
    const key = createSessionKey();
    if ('failed' in tpm) {
      await Promise.all([
        reportWithoutTpm(ports, configuration, tpm.failed, key, loop),
        ports.pair(claimant(ports, configuration, key, false), pairingPorts(ports, loop, sessionIdOf(key))),
      ]);
    } else {
      const own = session(ports, configuration, raw, key);
      const checks = checkPorts(ports, { ...loop, tpm: keeper });
      await Promise.all([
        attestForever(own, { ...loop, tpm: keeper }),
        answerChecksForever(own, checks),
        ports.pair(claimant(ports, configuration, key, true), pairingPorts(ports, loop, checks.machineId)),
      ]);
    }
  } finally {
    await keeper.discard();
  }
}

async function waitForConfiguration(ports: AgentPorts): Promise<RawConfiguration | null> {
  const { sys, dev, smbiosTable, vmwareBackdoor: backdoor, imageConfiguration, configurationCopy: copy } = ports.places;
  const vendorFile = { systemVendor: `${sys}/class/dmi/id/sys_vendor` };
  const places = {
    blockClass: `${sys}/class/block`,
    dev,
    smbiosTable,
    ...vendorFile,
    backdoor,
    imageConfiguration,
    copy,
  };
  const look = { seen: new Set<string>(), drivesSettled: false, guestinfo: { asked: false } };
  void ports.drivesSettled.then(() => {
    look.drivesSettled = true;
  });
  const patientUntilMs = ports.nowMs() + CONFIGURATION_PATIENCE_MS;
  while (!ports.signal.aborted) {
    try {
      const raw = await lookForConfiguration(places, look);
      if (raw !== null) return raw;
      if (ports.nowMs() >= patientUntilMs) {
        ports.store.dispatch({ type: 'configuration', configuration: { kind: 'missing' } });
      }
    } catch (error) {
      ports.store.dispatch({ type: 'configuration', configuration: { kind: 'rejected', problem: toProblem(error) } });
    }
    await ports.pause(CONFIGURATION_LOOK_MS);
  }
  return null;
}

/** The alarm rings when something happened that the broker should hear of at once. */
function loopPorts(ports: AgentPorts): Omit<LoopPorts, 'tpm'> {
  const alarm = createAlarm();
  let up = ports.store.state().network.kind === 'up';
  let accelerator = ports.store.state().accelerator;
  ports.store.subscribe((state) => {
    const upNow = state.network.kind === 'up';
    if (upNow && !up) alarm.ring();
    up = upNow;
    if (state.accelerator !== accelerator) alarm.ring();
    accelerator = state.accelerator;
  });
  return {
    dispatch: ports.store.dispatch,
    nowMs: ports.nowMs,
    random: ports.random,
    alarm,
    networkUp: () => ports.store.until((state) => state.network.kind === 'up', ports.signal),
    memoryUse: () => readMemoryUse(ports.places.proc),
    signal: ports.signal,
  };
}

function checkPorts(ports: AgentPorts, loop: LoopPorts): CheckPorts {
  const { store, signal } = ports;
  return {
    ...loop,
    pause: ports.pause,
    attestNow: loop.alarm.ring,
    machineId: async () => {
      await store.until((state) => machineIdOf(state) !== null, signal);
      return machineIdOf(store.state());
    },
  };
}

/** Once the network is there its driver is, and everything else that will be used: before the first word to the broker. */
async function closed({ store, signal, closeMachine }: AgentPorts): Promise<void> {
  await store.until((state) => state.network.kind === 'up', signal);
  if (signal.aborted) return;
  await closeMachine();
  store.dispatch({ type: 'closed' });
}

async function patience(ports: AgentPorts): Promise<void> {
  const probed = ports.store.until((state) => state.accelerator !== null, ports.signal);
  await Promise.race([probed, ports.pause(ACCELERATOR_PATIENCE_MS)]);
}

function claimant(ports: AgentPorts, configuration: SellerConfiguration, key: SessionKey, enrols: boolean): Claimant {
  const { cpuModel, memoryBytes, bootMode } = ports.platform;
  return {
    broker: brokerClient(configuration, ports.signal),
    brokerId: configuration.brokerPin,
    key,
    facts: { cpuModel, memoryBytes, bootMode, clientVersion: ports.clientVersion },
    enrols,
  };
}

function pairingPorts(
  ports: AgentPorts,
  loop: Omit<LoopPorts, 'tpm'>,
  machineId: PairingPorts['machineId'],
): PairingPorts {
  return { ...loop, pause: ports.pause, machineId };
}

/** What names a machine without a TPM: good for this run of the client. */
function sessionIdOf(key: SessionKey): PairingPorts['machineId'] {
  const id = toHex(sha256.hash('sha256', key.publicKey));
  return async () => id;
}

function session(ports: AgentPorts, configuration: SellerConfiguration, raw: RawConfiguration, key: SessionKey) {
  return {
    broker: brokerClient(configuration, ports.signal),
    brokerId: configuration.brokerPin,
    key,
    configuration: measuredForm(raw.bytes),
    readLogs: async () => ({
      eventLog: await readLog(ports.places.eventLog),
      imaLog: await readLog(ports.places.imaLog),
    }),
    readClaims: async (challenge: string) => ({
      ...(await readClaims(ports, challenge)),
      configurationSource: configurationSource(raw),
    }),
  };
}

/** Absent on a legacy boot or an odd kernel: the verifier says what that means. */
async function readLog(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(path).catch(() => Buffer.alloc(0)));
}

async function readClaims(ports: AgentPorts, challenge: string): Promise<MachineClaims> {
  const accelerator = ports.store.state().accelerator;
  return {
    clientVersion: ports.clientVersion,
    challenge,
    accelerator:
      accelerator === null
        ? { name: 'unknown', reason: 'the probe is still running' }
        : { name: accelerator.name, reason: accelerator.reason },
    cpuModel: ports.platform.cpuModel,
    memoryBytes: ports.platform.memoryBytes,
    secureBoot: ports.platform.secureBoot,
    bootMode: ports.platform.bootMode,
    uptimeMs: await readUptimeMs(ports.places.proc),
  };
}

function reportWithoutTpm(
  ports: AgentPorts,
  configuration: SellerConfiguration,
  failure: unknown,
  key: SessionKey,
  loop: Omit<LoopPorts, 'tpm'>,
): Promise<void> {
  const problem = toProblem(failure);
  const notice = {
    sessionPublicKey: toBase64(key.publicKey),
    reason: failure instanceof TpmAbsentError ? ('TPM_ABSENT' as const) : ('TPM_FAILED' as const),
    detail: problem.message.slice(0, 500),
    bootMode: ports.platform.bootMode,
    clientVersion: ports.clientVersion,
  };
  ports.store.dispatch({ type: 'unattested', problem });
  return reportForever(brokerClient(configuration, ports.signal), notice, problem, loop);
}

function tpmFailure(error: unknown) {
  return error instanceof TpmAbsentError
    ? ({ kind: 'absent' } as const)
    : ({ kind: 'failed', problem: toProblem(error) } as const);
}
