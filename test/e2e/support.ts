/** What every boot test needs: a broker, a machine booted from an ISO, its verdict, and the traces of a failure. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import { type AcceleratorChoice, chooseAccelerator } from '../../scripts/run/accelerator.ts';
import { writeConfigurationVolume } from '../../scripts/run/configuration-volume.ts';
import { type Machine, type MachineOptions, startMachine } from '../../scripts/run/machine.ts';
import { type Hardware, shapes } from '../../scripts/run/shapes.ts';
import { manufactureTpm } from '../../scripts/run/swtpm.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import type { Tools } from '../../scripts/tools.ts';
import { type BrokerClient, createBrokerClient } from '../../src/cli/broker-client.ts';
import { type BrokerProcess, startBrokerProcess } from '../../src/cli/demo/broker-process.ts';
import { buildForDemo, type DemoImage } from '../../src/cli/demo/image.ts';
import type { ReportDocument, SellerConfiguration } from '../../src/protocol/messages.ts';
import { fromBase64 } from '../../src/shared/bytes.ts';

/** Boots under software emulation on two busy cores; firmware alone stalls 15 s now and then. */
export const BOOT_TIMEOUT_MS = 300_000;

export const referenceValuesFile = join(projectRoot, 'dist/reference-values.json');
export const isoFile = join(projectRoot, 'dist/cpushare-seller.iso');

export interface Scene {
  /** Short path for sockets; removed after the test. */
  readonly folder: string;
  readonly tpmFolder: string;
  readonly broker: BrokerProcess;
  readonly client: BrokerClient;
  readonly configurationVolume: string;
}

/** The locked build tools, and the certainty that the image under test is the one of this checkout. */
export async function testTools(): Promise<Tools> {
  image ??= buildForDemo(() => undefined);
  return (await image).tools;
}
let image: Promise<DemoImage> | undefined;

export interface SceneOptions {
  /** Register banks of the TPM; SHA-256 alone when absent. */
  readonly tpmBanks?: readonly string[];
  /** Of the image that the broker accepts; the default's when absent. */
  readonly referenceValues?: string;
  /** What else the seller writes into cpushare.json. */
  readonly configuration?: Partial<SellerConfiguration>;
}

/** A fresh TPM, a broker that trusts its maker, and the configuration volume that names this broker. */
export async function createScene(tools: Tools, options: SceneOptions = {}): Promise<Scene> {
  const { tpmBanks = ['sha256'], referenceValues = referenceValuesFile, configuration } = options;
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-e2e-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const tpmFolder = join(folder, 'tpm');
  const trustFile = join(folder, 'trust.pem');
  await writeFile(trustFile, await manufactureTpm(tpmFolder, tpmBanks));
  const broker = await startBrokerProcess({
    dataFolder: join(folder, 'broker'),
    referenceValues: [referenceValues],
    trust: [trustFile],
    port: 0,
  });
  onTestFinished(() => broker.close());
  const configurationVolume = await writeConfigurationVolume(tools, folder, {
    broker: `https://10.0.2.2:${broker.port}`,
    brokerPin: broker.brokerId,
    ...configuration,
  });
  return { folder, tpmFolder, broker, client: createBrokerClient(broker), configurationVolume };
}

/** By chipset and firmware. */
const choices = new Map<string, Promise<AcceleratorChoice>>();

function acceleratorFor(machine: Hardware): Promise<AcceleratorChoice> {
  const kind = `${machine.chipset} ${machine.firmware}`;
  const choice = choices.get(kind) ?? chooseAccelerator(machine);
  choices.set(kind, choice);
  return choice;
}

/** Boots the shape `uefi-cd`, or with what is given in its place. */
export async function bootScene(scene: Scene, options: Partial<MachineOptions> = {}): Promise<Machine> {
  const hardware = { ...shapes['uefi-cd'], ...options };
  const machine = await startMachine({
    folder: join(scene.folder, 'machine'),
    tpmFolder: scene.tpmFolder,
    iso: isoFile,
    accelerator: (await acceleratorFor(hardware)).accelerator,
    configurationVolume: scene.configurationVolume,
    ...hardware,
  });
  onTestFinished(() => machine.close());
  // Not onTestFailed, which comes when all of these are done: machine and folder would be gone.
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await keepTraces(task.name, scene, machine);
  });
  return machine;
}

export interface Judged {
  readonly attestation: 'accepted' | 'refused';
  readonly report: ReportDocument;
}

/** Waits until the broker has judged the scene's one machine. */
export async function waitForVerdict(scene: Scene, machine: Machine): Promise<Judged> {
  const judged = await waitFor(
    async () => {
      const { machines } = await scene.client.machines();
      return machines.find(({ attestation }) => attestation === 'accepted' || attestation === 'refused');
    },
    { what: 'a verdict on the machine', timeoutMs: BOOT_TIMEOUT_MS, whileRunning: machine.process, pollMs: 500 },
  );
  const report = await scene.client.report(judged.machineId);
  return { attestation: judged.attestation === 'accepted' ? 'accepted' : 'refused', report };
}

/** A machine asked anew by a buyer through the broker: a fresh quote for its own challenge, no word of the broker. */
export async function checkedByABuyer(scene: Scene, machineId: string): Promise<void> {
  const { stdout, stderr, exitCode } = await execa(
    process.execPath,
    [
      join(projectRoot, 'bin/cpushare.js'),
      ...['attest', 'challenge', '--machine', machineId],
      ...['--broker', scene.broker.url, '--broker-pin', scene.broker.brokerId],
      ...['--reference', referenceValuesFile],
      ...['--trust', join(scene.folder, 'trust.pem')],
    ],
    { reject: false },
  );
  expect(exitCode, stdout + stderr).toBe(0);
  expect(stdout).not.toContain('word of the broker');
}

/** Serial log, screen and event log of a failed boot, under dist/test-artifacts/. */
async function keepTraces(name: string, scene: Scene, machine: Machine): Promise<void> {
  const folder = join(projectRoot, 'dist/test-artifacts', name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 80));
  await mkdir(folder, { recursive: true });
  await machine.screenshot(join(folder, 'screen.png')).catch(() => undefined);
  await cp(machine.serialLog, join(folder, 'serial.log')).catch(() => undefined);
  const { machines } = await scene.client.machines().catch(() => ({ machines: [] }));
  for (const { machineId } of machines) {
    const report = await scene.client.report(machineId).catch(() => undefined);
    if (report === undefined) continue;
    await writeFile(join(folder, 'report.json'), JSON.stringify(report, null, 2));
    await writeFile(join(folder, 'eventlog.bin'), fromBase64(report.evidence.eventLog));
  }
}

export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T;
}
