/** Where a machine may get its configuration from, booted: each is measured, and the machine is accepted. */
import { describe, expect, it } from 'vitest';
import type { ReferenceValues } from '../../src/attest/image/reference-values.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { configurationFor, expectMeasured, oemString, stickWith } from './configured-support.ts';
import { bootScene, createScene, readJson, referenceValuesFile, testTools, waitForVerdict } from './support.ts';

describe('a machine without a second stick', () => {
  it('takes its configuration from an SMBIOS OEM string', async () => {
    const scene = await createScene(await testTools());
    const json = configurationFor(scene);
    const machine = await bootScene(scene, {
      configurationVolume: null,
      oemStrings: ['maker word', oemString(json)],
    });
    const judged = await waitForVerdict(scene, machine);
    expectMeasured(judged, json);
    expect((judged.report.verdict as Verdict).claims?.configurationSource).toBe('smbios');
    await machine.waitForSerial(/configuration=loaded broker=\S+ source="SMBIOS OEM string"/, 30_000);
  });

  it('takes it from the partition behind the ISO, before what SMBIOS says; kernel and initrd measure the same', async () => {
    const scene = await createScene(await testTools());
    const json = configurationFor(scene);
    const stick = await stickWith(scene, json);
    const nobody = JSON.stringify({ broker: 'https://10.0.2.2:9', brokerPin: '00'.repeat(32) });
    const machine = await bootScene(scene, {
      iso: stick,
      medium: 'usb',
      configurationVolume: null,
      oemStrings: [oemString(nobody)],
    });
    const judged = await waitForVerdict(scene, machine);
    expectMeasured(judged, json);
    expect((judged.report.verdict as Verdict).claims?.configurationSource).toBe('volume');
    await machine.waitForSerial(/configuration=loaded broker=\S+ source="sd[a-z]4"/, 30_000);
    const measured = judged.report.evidence.pcrs.sha256 ?? {};
    const { pcrs } = await readJson<ReferenceValues>(referenceValuesFile);
    expect({ 4: measured['4'], 8: measured['8'], 9: measured['9'], 14: measured['14'] }).toEqual(pcrs.usb);
  });
});
