/** Closed to its operator, the rarer ways in: GRUB's prompt, a damaged kernel, a twin of the medium. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../scripts/run/machine.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import type { ReferenceValues } from '../../src/attest/image/reference-values.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { press, type } from '../e2e/attack/keyboard.ts';
import { countInFile } from '../e2e/attack/memory-file.ts';
import { startAgain } from '../e2e/attack/start-again.ts';
import { configurationFor, expectMeasured, oemString, stickWith } from '../e2e/configured-support.ts';
import {
  BOOT_TIMEOUT_MS,
  bootScene,
  createScene,
  isoFile,
  type Judged,
  readJson,
  referenceValuesFile,
  testTools,
  waitForVerdict,
} from '../e2e/support.ts';
import {
  withEditedGrubConfig,
  withOneByteChangedInInitrd,
  withOneByteChangedInKernel,
  withUnreadableRoot,
} from '../e2e/tamper.ts';

const PROMPT = /grub>/;

const failedCheck = ({ report }: Judged) =>
  (report.verdict as Verdict).checks.find(({ status }) => status === 'failed');

describe('GRUB', () => {
  it('gives no prompt to whoever leans on the keyboard', async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene);
    const keys = ['esc', 'c', 'e', 'shift', 'f10', 'tab', 'down', 'ret', 'ctrl'];
    await waitFor(
      async () => {
        // Not before the firmware is done: its own setup answers to keys, and that is the owner's.
        if (!/BdsDxe: starting/.test(await machine.serialText())) return undefined;
        for (const key of keys) await press(machine.qmp, key);
        return /cpushare: boot=/.test(await machine.serialText()) || undefined;
      },
      { what: 'the start under a rain of keys', timeoutMs: BOOT_TIMEOUT_MS, whileRunning: machine.process },
    );
    expect((await waitForVerdict(scene, machine)).attestation).toBe('accepted');
    expect(await machine.serialText()).not.toMatch(PROMPT);
  });

  it('restarts, without a prompt, where the kernel is not the signed one', async () => {
    const scene = await createScene(await testTools());
    const iso = await withOneByteChangedInKernel(isoFile, scene.folder);
    const machine = await bootScene(scene, { iso });
    await machine.waitForSerial(/BOOT_MEDIUM_UNREADABLE/, BOOT_TIMEOUT_MS);
    await press(machine.qmp, 'esc');
    await waitForRestart(machine);
    expect(await machine.serialText()).not.toMatch(PROMPT);
  });

  it('its prompt, had by emptying grub.cfg: the same commands by hand are refused, naming that file', async () => {
    const scene = await createScene(await testTools());
    const iso = await withEditedGrubConfig(isoFile, scene.folder, (config) => config.replace(/^./gm, '#'));
    const machine = await bootScene(scene, { iso });
    await machine.waitForSerial(PROMPT, BOOT_TIMEOUT_MS);
    const { grubCommands } = await readJson<ReferenceValues>(referenceValuesFile);
    for (const command of grubCommands) await type(machine.qmp, `${quotedForGrub(command)}\n`);
    const judged = await waitForVerdict(scene, machine);
    expect(judged.attestation).toBe('refused');
    expect(failedCheck(judged)).toMatchObject({ name: 'image', code: 'GRUB_CONFIG_DIFFERS' });
  });
});

describe('a damaged root file system', () => {
  it('shows its code, and the machine restarts', async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { iso: await withUnreadableRoot(isoFile, scene.folder) });
    const [said] = await machine.waitForSerial(/error=INITRD_ROOT_UNREADABLE .*/, BOOT_TIMEOUT_MS);
    expect(said).toMatch(/detail="\w+\.sqfs, error number \d+" next="write the medium again; .*"/);
    await waitForRestart(machine);
  });
});

/** A command as measured has lost its quotes; `echo` is the one that has words which need them. */
function quotedForGrub(command: string): string {
  return command.startsWith('echo ') ? `echo '${command.slice('echo '.length)}'` : command;
}

function waitForRestart(machine: Machine): Promise<true> {
  // -no-reboot: a machine that restarts ends here.
  return waitFor(() => !machine.process.isRunning() || undefined, { what: 'its restart', timeoutMs: 120_000 });
}

describe('the reset button', () => {
  it('leaves nothing of the run before in memory, once the machine has started again', async () => {
    const scene = await createScene(await testTools());
    const memoryFile = join(scene.folder, 'memory');
    const machine = await bootScene(scene, { memoryFile });
    const { report } = await waitForVerdict(scene, machine);
    const again = await startAgain(scene, machine, { memoryFile });
    expect(await countInFile(memoryFile, report.challenge), 'at the reset').toBeGreaterThan(0);
    await again.waitForSerial(/cpushare: boot=/, BOOT_TIMEOUT_MS);
    expect(await countInFile(memoryFile, report.challenge), 'once a program of ours runs').toBe(0);
  });
});

describe('a second disk that claims to be the medium', () => {
  it('with the same volume date and another system in it: what ran is what is judged', async () => {
    const scene = await createScene(await testTools());
    const twin = await withOneByteChangedInInitrd(isoFile, scene.folder);
    const machine = await bootScene(scene, {
      configurationVolume: twin,
      oemStrings: [oemString(configurationFor(scene))],
    });
    const judged = await waitForVerdict(scene, machine);
    // GRUB takes the one or the other; which is the firmware's order of disks.
    if (judged.attestation === 'refused') expect(failedCheck(judged)?.code).toBe('INITRD_DIFFERS');
    const initrd = (judged.report.verdict as Verdict).checks.find(({ name }) => name === 'image');
    expect(initrd?.status).toBe(judged.attestation === 'accepted' ? 'passed' : 'failed');
  });

  it("labelled CPUSHARE beside the seller's own: one is taken, and the report shows and proves which", async () => {
    const scene = await createScene(await testTools());
    const own = configurationFor(scene);
    // The scene's volume stands for any other: it names the same broker, so that a verdict comes whichever is taken.
    const foreign = await readFile(join(scene.folder, 'cpushare.json'), 'utf8');
    expect(foreign).not.toBe(own);
    const machine = await bootScene(scene, { iso: await stickWith(scene, own), medium: 'usb' });
    const judged = await waitForVerdict(scene, machine);
    const [, device] = await machine.waitForSerial(/configuration=loaded broker=\S+ source="(\w+)"/, 30_000);
    expectMeasured(judged, device?.endsWith('4') ? own : foreign);
  });
});
