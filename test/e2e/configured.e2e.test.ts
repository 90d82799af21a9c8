/** Where a machine may get its configuration from, booted: each is measured, and the machine is accepted. */
import { createHash } from 'node:crypto';
import { copyFile, open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesWithConfiguration, configurationPartition } from '../../scripts/stick/configuration-partition.ts';
import type { ReferenceValues } from '../../src/attest/image/reference-values.ts';
import {
  bootScene,
  createScene,
  isoFile,
  type Judged,
  readJson,
  referenceValuesFile,
  type Scene,
  testTools,
  waitForVerdict,
} from './support.ts';

const configurationFor = (scene: Scene) =>
  JSON.stringify({ broker: `https://10.0.2.2:${scene.broker.port}`, brokerPin: scene.broker.brokerId });
const oemString = (json: string) => `cpushare:${Buffer.from(json).toString('base64url')}`;

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
    await machine.waitForSerial(/configuration=loaded broker=\S+ source="sd[a-z]4"/, 30_000);
    const measured = judged.report.evidence.pcrs.sha256 ?? {};
    const { pcrs } = await readJson<ReferenceValues>(referenceValuesFile);
    expect({ 4: measured['4'], 8: measured['8'], 9: measured['9'], 14: measured['14'] }).toEqual(pcrs.usb);
  });

  it('starts from that stick under legacy BIOS too', async () => {
    const scene = await createScene(await testTools());
    const stick = await stickWith(scene, configurationFor(scene));
    const options = { iso: stick, medium: 'usb', firmware: 'bios', configurationVolume: null } as const;
    const machine = await bootScene(scene, options);
    await machine.waitForSerial(/configuration=loaded broker=\S+ source="sd[a-z]4"/, 300_000);
  });
});

/** Accepted, and register 12 is the extension of zeros by the configuration's hash. */
function expectMeasured({ attestation, report }: Judged, json: string): void {
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  expect(attestation).toBe('accepted');
  expect(Buffer.from(report.evidence.configuration, 'base64').toString()).toBe(json);
  const extended = sha256(Buffer.concat([Buffer.alloc(32), sha256(Buffer.from(json))]));
  expect(report.evidence.pcrs.sha256?.['12']).toBe(extended.toString('hex'));
}

/** What `image write --configuration` leaves on a stick, a little larger than needed. */
async function stickWith(scene: Scene, json: string): Promise<string> {
  const stick = join(scene.folder, 'stick.img');
  const isoBytes = (await stat(isoFile)).size;
  const diskBytes = bytesWithConfiguration(isoBytes) + 3 * 2 ** 20;
  await copyFile(isoFile, stick);
  await truncate(stick, diskBytes);
  const file = await open(stick, 'r+');
  try {
    const configuration = new TextEncoder().encode(json);
    for (const { offset, bytes } of await configurationPartition({
      iso: isoFile,
      isoBytes,
      diskBytes,
      configuration,
    })) {
      await file.write(bytes, 0, bytes.length, offset);
    }
  } finally {
    await file.close();
  }
  expect((await readFile(stick)).length).toBe(diskBytes);
  return stick;
}
