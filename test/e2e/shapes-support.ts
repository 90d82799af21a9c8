/** Boots a shape, and says what the broker must think of it: the rule that all shapes are held to. */
import { expect } from 'vitest';
import type { Machine } from '../../scripts/run/machine.ts';
import { MEDIUM_DEVICE } from '../../scripts/run/machine-arguments.ts';
import { type Shape, shapeNamed } from '../../scripts/run/shapes.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import type { ReportDocument } from '../../src/protocol/messages.ts';
import {
  BOOT_TIMEOUT_MS,
  bootScene,
  createScene,
  type Scene,
  type SceneOptions,
  testTools,
  waitForVerdict,
} from './support.ts';

export interface BootedShape {
  readonly scene: Scene;
  readonly machine: Machine;
  readonly shape: Shape;
}

/** @param change what differs from the shape of that name */
export async function bootShape(
  name: string,
  change: Partial<Shape> = {},
  options: SceneOptions = {},
): Promise<BootedShape> {
  const shape = { ...shapeNamed(name), ...change };
  const scene = await createScene(await testTools(), options);
  return { scene, machine: await bootScene(scene, shape), shape };
}

/** Why a machine of this shape cannot be accepted, or null where it must be. */
export function expectedRefusal(shape: Shape): string | null {
  if (shape.tpm === 'none') return 'TPM_ABSENT';
  if (shape.firmware === 'bios') return 'BOOT_NOT_MEASURED';
  return shape.firmware === 'uefi' ? 'SECURE_BOOT_OFF' : null;
}

/** The broker heard of the machine, so its medium and its network card work; its verdict and the machine's own word agree. */
export async function expectShape({ scene, machine, shape }: BootedShape): Promise<{ report: ReportDocument | null }> {
  const refusal = expectedRefusal(shape);
  if (shape.tpm === 'none') {
    await expectUnattested(scene, machine);
    return { report: null };
  }
  const { attestation, report } = await waitForVerdict(scene, machine);
  const { checks } = report.verdict as Verdict;
  const failed = checks.filter(({ status }) => status === 'failed');
  expect(failed.map(({ code }) => code).slice(0, 1)).toEqual(refusal === null ? [] : [refusal]);
  expect(attestation).toBe(refusal === null ? 'accepted' : 'refused');
  await machine.waitForSerial(new RegExp(`cpushare: .*attestation=${attestation}`), 60_000);
  expect(memoryOf(report) / 2 ** 20).toBeGreaterThan(shape.memoryMiB * 0.75);
  expect(memoryOf(report) / 2 ** 20).toBeLessThanOrEqual(shape.memoryMiB);
  return { report };
}

async function expectUnattested(scene: Scene, machine: Machine): Promise<void> {
  const known = await waitFor(
    async () => (await scene.client.machines()).machines.find(({ attestation }) => attestation === 'unattested'),
    { what: 'the broker to list the machine', timeoutMs: BOOT_TIMEOUT_MS, whileRunning: machine.process, pollMs: 500 },
  );
  expect(known.reason).toBe('TPM_ABSENT');
  await machine.waitForSerial(/cpushare: attestation=unattested/, 60_000);
  await machine.waitForSerial(/cpushare: error=TPM_ABSENT/, 60_000);
  expect(await machine.serialText()).not.toMatch(/attestation=accepted/);
}

/** As the machine claims: nobody measures it. */
function memoryOf(report: ReportDocument): number {
  const claims = JSON.parse(Buffer.from(report.evidence.claims, 'base64').toString()) as { memoryBytes: number };
  return claims.memoryBytes;
}

/** As a hand does: without a word to the machine. */
export async function pullStick(machine: Machine): Promise<void> {
  await machine.qmp.execute('device_del', { id: MEDIUM_DEVICE });
  await waitFor(
    async () => {
      const left = (await machine.qmp.execute('qom-list', { path: '/machine/peripheral' })) as { name: string }[];
      return left.some(({ name }) => name === MEDIUM_DEVICE) ? undefined : true;
    },
    { what: 'the stick to be gone', timeoutMs: 20_000, whileRunning: machine.process },
  );
}

/** As a pin in the drive's emergency hole does: a lock of the tray does not count. */
export async function takeDiscOut(machine: Machine): Promise<void> {
  await machine.qmp.execute('eject', { id: MEDIUM_DEVICE, force: true });
  const drives = (await machine.qmp.execute('query-block')) as { qdev?: string; inserted?: object }[];
  const drive = drives.find(({ qdev }) => qdev?.endsWith(MEDIUM_DEVICE));
  expect(drive).toBeDefined();
  expect(drive?.inserted).toBeUndefined();
}
