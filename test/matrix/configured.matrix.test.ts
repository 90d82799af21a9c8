/** The rarer media that carry their configuration: the stick under legacy BIOS, and the disk of the exported .ova. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { readIsoFacts } from '../../scripts/export/iso-content.ts';
import { writeOva } from '../../scripts/export/ova.ts';
import type { ReferenceValues } from '../../src/attest/image/reference-values.ts';
import { configurationFor, expectMeasured, stickWith } from '../e2e/configured-support.ts';
import {
  bootScene,
  createScene,
  isoFile,
  readJson,
  referenceValuesFile,
  type Scene,
  testTools,
  waitForVerdict,
} from '../e2e/support.ts';

describe('a medium with its configuration', () => {
  it('starts under legacy BIOS', async () => {
    const scene = await createScene(await testTools());
    const stick = await stickWith(scene, configurationFor(scene));
    const options = { iso: stick, medium: 'usb', firmware: 'bios', configurationVolume: null } as const;
    const machine = await bootScene(scene, options);
    await machine.waitForSerial(/configuration=loaded broker=\S+ source="sd[a-z]4"/, 300_000);
  });

  it('is a disk out of an .ova: the machine is accepted, and measures the same as from a stick', async () => {
    const scene = await createScene(await testTools());
    const json = configurationFor(scene);
    const options = { iso: await diskOfOva(scene, json), medium: 'disk', configurationVolume: null } as const;
    const machine = await bootScene(scene, { ...options, networkCard: 'e1000' });
    const judged = await waitForVerdict(scene, machine);
    expectMeasured(judged, json);
    await machine.waitForSerial(/configuration=loaded broker=\S+ source="sda4"/, 30_000);
    const measured = judged.report.evidence.pcrs.sha256 ?? {};
    const { pcrs } = await readJson<ReferenceValues>(referenceValuesFile);
    expect({ 4: measured['4'], 8: measured['8'], 9: measured['9'], 14: measured['14'] }).toEqual(pcrs.usb);
  });
});

async function diskOfOva(scene: Scene, json: string): Promise<string> {
  const output = join(scene.folder, 'seller.ova');
  const configuration = new TextEncoder().encode(json);
  await writeOva({ iso: await readIsoFacts(isoFile), name: 'seller', networkCard: 'e1000', configuration, output });
  const at = join(scene.folder, 'ova');
  await mkdir(at);
  await execa('tar', ['-xf', output, '-C', at]);
  return join(at, 'seller-disk1.vmdk');
}
