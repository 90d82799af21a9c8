/** The real ISO, real firmware with Secure Boot, a software TPM, a broker on a socket: attested from CD and from USB. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import type { ReferenceValues } from '../../src/attest/image/reference-values.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import {
  bootScene,
  checkedByABuyer,
  createScene,
  readJson,
  referenceValuesFile,
  type Scene,
  testTools,
  waitForVerdict,
} from './support.ts';

describe('a machine that boots the image', () => {
  it.each(['cd', 'usb'] as const)('is attested from %s, and the registers are those predicted', async (medium) => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { medium });
    const { attestation, report } = await waitForVerdict(scene, machine);

    const verdict = report.verdict as Verdict;
    expect(verdict.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(attestation).toBe('accepted');
    expect(verdict.tpm.class).toBe('software');

    const reference = await readJson<ReferenceValues>(referenceValuesFile);
    const measured = report.evidence.pcrs.sha256 ?? {};
    const predicted = reference.pcrs[medium];
    expect({ 4: measured['4'], 8: measured['8'], 9: measured['9'], 14: measured['14'] }).toEqual(predicted);

    await judgedByTheCommand(scene, report);
    await checkedByABuyer(scene, report.machineId);
    await machine.waitForSerial(/cpushare: .*attestation=accepted/, 30_000);
  });
});

/** The buyer's command, in a process of its own, with the files a buyer holds. */
async function judgedByTheCommand(scene: Scene, report: { challenge: string }): Promise<void> {
  const reportFile = join(scene.folder, 'report.json');
  await writeFile(reportFile, JSON.stringify(report));
  const verify = (nonce: string) =>
    execa(
      process.execPath,
      [
        join(projectRoot, 'bin/cpushare.js'),
        ...['attest', 'verify', reportFile],
        ...['--reference', referenceValuesFile],
        ...['--trust', join(scene.folder, 'trust.pem')],
        ...['--nonce', nonce],
      ],
      { reject: false },
    );
  expect(await verify(report.challenge)).toMatchObject({ exitCode: 0 });
  expect(await verify('00'.repeat(32))).toMatchObject({ exitCode: 1 });
}
