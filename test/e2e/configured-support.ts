/** Media that carry their configuration, and what must have been measured of it. */
import { createHash } from 'node:crypto';
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bytesWithConfiguration, configurationPartition } from '../../scripts/stick/configuration-partition.ts';
import { isoFile, type Judged, type Scene } from './support.ts';

export const configurationFor = (scene: Scene): string =>
  JSON.stringify({ broker: `https://10.0.2.2:${scene.broker.port}`, brokerPin: scene.broker.brokerId });

export const oemString = (json: string) => `cpushare:${Buffer.from(json).toString('base64url')}`;

/** Accepted, and register 12 is the extension of zeros by the configuration's hash. */
export function expectMeasured({ attestation, report }: Judged, json: string): void {
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  expect(attestation).toBe('accepted');
  expect(Buffer.from(report.evidence.configuration, 'base64').toString()).toBe(json);
  const extended = sha256(Buffer.concat([Buffer.alloc(32), sha256(Buffer.from(json))]));
  expect(report.evidence.pcrs.sha256?.['12']).toBe(extended.toString('hex'));
}

/** What `image write --configuration` leaves on a stick, a little larger than needed. */
export async function stickWith(scene: Scene, json: string): Promise<string> {
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
  return stick;
}
