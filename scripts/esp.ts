/**
 * The EFI system partition: a small FAT12 volume with shim, GRUB and GRUB's configuration. It serves as El Torito boot
 * image for UEFI on a CD and as partition 2 on a USB stick.
 */
import { open, rename, rm, stat } from 'node:fs/promises';
import { CodedError } from '../src/shared/errors.ts';
import { GRUB_CONFIG_PATH } from './grub.ts';
import type { Tools } from './tools.ts';

export class EspError extends CodedError<'ESP_TOO_LARGE'> {}

export interface EspInput {
  /** shimx64.efi.signed */
  readonly shim: string;
  /** grubx64.efi.signed */
  readonly grub: string;
  readonly grubConfig: string;
  readonly output: string;
}

const SECTOR_BYTES = 512;
const SECTORS_PER_CLUSTER = 4;
const CLUSTER_BYTES = SECTORS_PER_CLUSTER * SECTOR_BYTES;
/** Above this many clusters a volume counts as FAT16. */
const FAT12_MAX_CLUSTERS = 4084;
const ROOT_SECTORS = 16;
/** Whole ISO sectors, with a little room so that the count of clusters need not be exact. */
const ROUND_TO_SECTORS = 64;
/** Fixed: mformat would take a random number. */
const SERIAL = '43505553';

/** @throws EspError, ToolError */
export async function packEsp(input: EspInput, tools: Tools): Promise<string> {
  const folders = ['::/EFI', '::/EFI/BOOT', '::/EFI/debian'];
  const files = [
    { from: input.shim, to: '::/EFI/BOOT/BOOTX64.EFI' },
    { from: input.grub, to: '::/EFI/BOOT/grubx64.efi' },
    { from: input.grubConfig, to: `::${GRUB_CONFIG_PATH}` },
  ];
  const sizes = await Promise.all(files.map(async ({ from }) => (await stat(from)).size));
  const sectors = sectorsFor(sizes, folders.length);
  const partial = `${input.output}.part`;
  try {
    await createZeroed(partial, sectors * SECTOR_BYTES);
    await tools.run('mformat', [
      ...['-i', partial],
      ...['-T', String(sectors), '-h', '255', '-s', '63'],
      ...['-c', String(SECTORS_PER_CLUSTER), '-r', String(ROOT_SECTORS)],
      ...['-N', SERIAL],
      '::',
    ]);
    await tools.run('mmd', ['-i', partial, ...folders]);
    for (const { from, to } of files) await tools.run('mcopy', ['-i', partial, from, to]);
    await rename(partial, input.output);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return input.output;
}

/** Boot sector, two FATs of 12-bit entries, root folder, then the clusters. */
function sectorsFor(fileSizes: readonly number[], folderCount: number): number {
  const clusters = fileSizes.reduce((sum, size) => sum + Math.ceil(size / CLUSTER_BYTES), folderCount);
  if (clusters > FAT12_MAX_CLUSTERS - ROUND_TO_SECTORS) {
    const limit = FAT12_MAX_CLUSTERS * CLUSTER_BYTES;
    throw new EspError('ESP_TOO_LARGE', `the boot files need ${clusters * CLUSTER_BYTES} bytes, FAT12 holds ${limit}`);
  }
  const fatSectors = Math.ceil(((clusters + 2) * 1.5) / SECTOR_BYTES);
  const needed = 1 + 2 * (fatSectors + 1) + ROOT_SECTORS + clusters * SECTORS_PER_CLUSTER;
  return Math.ceil(needed / ROUND_TO_SECTORS) * ROUND_TO_SECTORS;
}

async function createZeroed(path: string, sizeBytes: number): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.truncate(sizeBytes);
  } finally {
    await handle.close();
  }
}
