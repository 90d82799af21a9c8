/** A hybrid ISO laid out as ours by the same tools, with noise for its boot files: to look at and write, not to boot. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hybridMbrIn } from '../grub.ts';
import { packIso } from '../iso.ts';
import type { LockedPackages } from './locked-packages.ts';

export const SMALL_ISO_EPOCH = 1_700_000_000;

/** `locked` must hold grub-pc-bin. Writes `image.iso` and its parts into `folder`. */
export async function smallIso(locked: LockedPackages, folder: string): Promise<string> {
  const part = async (name: string, sizeBytes: number) => {
    await writeFile(join(folder, name), randomBytes(sizeBytes));
    return join(folder, name);
  };
  return packIso(
    {
      kernel: await part('vmlinuz', 900_000),
      initrd: await part('initrd.img', 1_200_000),
      grubConfig: await part('grub.cfg', 300),
      biosImage: await part('bios.img', 40_000),
      hybridMbr: hybridMbrIn(join(locked.folderOf('grub-pc-bin'), 'usr/lib/grub/i386-pc')),
      esp: await part('esp.img', 512_000),
      output: join(folder, 'image.iso'),
      sourceDateEpoch: SMALL_ISO_EPOCH,
    },
    locked.tools,
  );
}
