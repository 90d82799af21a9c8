/** A small disk labelled CPUSHARE with cpushare.json on it: what a seller's second stick looks like. */
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SellerConfiguration } from '../../src/protocol/messages.ts';
import type { Tools } from '../tools.ts';

const SIZE_KIB = 1440; // a floppy's geometry: every FAT implementation reads it

/**
 * Writes a raw FAT image into `folder`.
 * @param configuration bytes are taken as they are, also where they are wrong
 */
export async function writeConfigurationVolume(
  tools: Tools,
  folder: string,
  configuration: SellerConfiguration | Uint8Array,
): Promise<string> {
  const volume = join(folder, 'configuration.img');
  const file = join(folder, 'cpushare.json');
  const bytes = configuration instanceof Uint8Array ? configuration : `${JSON.stringify(configuration, null, 2)}\n`;
  await writeFile(file, bytes);
  await rm(volume, { force: true });
  await writeFile(volume, '');
  await truncate(volume, SIZE_KIB * 1024);
  await tools.run('mformat', ['-i', volume, '-f', String(SIZE_KIB), '-v', 'CPUSHARE', '::']);
  await tools.run('mcopy', ['-i', volume, file, '::cpushare.json']);
  return volume;
}
