/** A kernel that panics, of the image for developers, which has the release's kernel, parameters, settings and sell client. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import type { Machine } from '../../scripts/run/machine.ts';
import { type Hardware, shapes } from '../../scripts/run/shapes.ts';
import { countInFile } from '../e2e/attack/memory-file.ts';
import { memoryOverwriteRequested, variablesWithRequest } from '../e2e/attack/memory-overwrite.ts';
import { openShell, type Shell } from '../e2e/attack/shell.ts';
import { startAgain } from '../e2e/attack/start-again.ts';
import { bootScene, createScene, type Scene, testTools, waitForVerdict } from '../e2e/support.ts';
import { buildForDevelopers, expectRestart, IOMMU, keepSecret, PATIENCE_MS } from './developers-support.ts';

/** Most of what /run holds. */
const FILLING_BYTES = 24_000_000;

it('by UEFI: the kernel says so, the machine restarts, its memory is overwritten, its screen shows the code', async () => {
  const stage = await stageForDevelopers();
  const firmwareVariables = await variablesWithRequest(stage.scene.folder);
  const hardware = { ...shapes['uefi-cd'], extraDevices: ['amd-iommu'] };
  const machine = await bootScene(stage.scene, { ...stage.options, ...hardware, firmwareVariables });
  await waitForVerdict(stage.scene, machine);
  const shell = await openShell(machine, stage.scene.folder);
  expect(await shell.run(IOMMU), 'of AMD').toMatch(/^DMA\nivhd0\nstatus 0$/m);
  const left = await fillAndPanic(stage, machine, shell);
  expect(await memoryOverwriteRequested(stage.scene.folder)).toBe(true);
  await expectToldOnce(stage, await startWiped(stage, machine, left, shapes['uefi-cd']), shapes['uefi-cd']);
});

it('by legacy BIOS, which has no NVRAM for its words: the same, from memory set aside for them', async () => {
  const stage = await stageForDevelopers();
  // More than our least: the kernel lies somewhere at random, and where it lies at that place the words are lost.
  const hardware = { ...shapes['bios-cd'], memoryMiB: 2048 };
  let machine = await bootScene(stage.scene, { ...stage.options, ...hardware });
  let shell = await shellOnceRefused(stage, machine);
  let place: string;
  do {
    place = await shell.run(PLACE);
    const left = await fillAndPanic(stage, machine, shell);
    machine = await startWiped(stage, machine, left, hardware);
    shell = await shellOnceRefused(stage, machine);
  } while ((await shell.run(PLACE)) !== place);
  await expectToldOnce(stage, machine, hardware);
});

it('on a server that has an error store: the same, from there', async () => {
  const stage = await stageForDevelopers();
  const store = `memory-backend-file,id=store,mem-path=${join(stage.scene.folder, 'error-store')},size=64K,share=on`;
  const hardware = { ...shapes['uefi-cd'], extraObjects: [store], extraDevices: ['acpi-erst,memdev=store'] };
  const machine = await bootScene(stage.scene, { ...stage.options, ...hardware });
  const shell = await shellOnceRefused(stage, machine);
  expect(await shell.run('busybox cat /sys/module/pstore/parameters/backend')).toMatch(/^erst$/m);
  const left = await fillAndPanic(stage, machine, shell);
  await expectToldOnce(stage, await startWiped(stage, machine, left, hardware), hardware);
});

/** Where the kernel keeps a panic's words. */
const PLACE = 'busybox cat /sys/module/ramoops/parameters/mem_address';

async function shellOnceRefused({ scene }: Stage, machine: Machine): Promise<Shell> {
  await machine.waitForSerial(/attestation=refused/, PATIENCE_MS);
  return openShell(machine, scene.folder);
}

interface Stage {
  readonly scene: Scene;
  readonly options: { readonly iso: string; readonly memoryFile: string };
}

async function stageForDevelopers(): Promise<Stage> {
  const { iso, referenceValues } = await buildForDevelopers();
  const scene = await createScene(await testTools(), { referenceValues });
  return { scene, options: { iso, memoryFile: join(scene.folder, 'memory') } };
}

interface Left {
  readonly secret: string;
  /** The memory holds it more often than that. */
  readonly times: number;
}

async function fillAndPanic({ options }: Stage, machine: Machine, shell: Shell): Promise<Left> {
  const secret = await keepSecret(shell);
  await shell.run(`busybox yes $SECRET | busybox head -c ${FILLING_BYTES} > /run/filling`);
  // Some lie across two pages that are apart in memory.
  const times = (0.9 * FILLING_BYTES) / (secret.length + 1);
  expect(await countInFile(options.memoryFile, secret)).toBeGreaterThan(times);
  // It has no answer: the kernel stops in its midst.
  shell.run('echo c > /proc/sysrq-trigger').catch(() => undefined);
  await machine.waitForSerial(/Kernel panic - not syncing: sysrq triggered crash/, PATIENCE_MS);
  await expectRestart(machine);
  return { secret, times };
}

async function startWiped(
  { scene, options }: Stage,
  machine: Machine,
  { secret, times }: Left,
  hardware: Hardware,
): Promise<Machine> {
  const { memoryFile } = options;
  const again = await startAgain(scene, machine, { ...options, ...hardware });
  expect(await countInFile(memoryFile, secret), 'what the next start finds').toBeGreaterThan(times);
  await again.waitForSerial(/cpushare: boot=/, PATIENCE_MS);
  expect(await countInFile(memoryFile, secret), 'what is left once a program of ours runs').toBe(0);
  return again;
}

async function expectToldOnce({ scene, options }: Stage, machine: Machine, hardware: Hardware): Promise<void> {
  const [said] = await machine.waitForSerial(/error=KERNEL_PANIC detail="[^"]*"/, PATIENCE_MS);
  expect(said).toContain('the last run ended in a kernel panic: sysrq triggered crash');
  await machine.waitForSerial(/attestation=refused/, PATIENCE_MS);
  await machine.screenshot(join(projectRoot, `dist/test-artifacts/after-a-panic-by-${hardware.firmware}.png`));

  // What held the words holds them no longer.
  const third = await startAgain(scene, machine, { ...options, ...hardware });
  await third.waitForSerial(/attestation=refused/, PATIENCE_MS);
  expect(await third.serialText()).not.toContain('KERNEL_PANIC');
}
