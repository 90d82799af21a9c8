/**
 * One hybrid image for four ways to boot: UEFI and BIOS, from CD and from USB stick. An ISO 9660 volume with two El Torito
 * entries, an MBR that starts GRUB, and a GPT that shows the ESP as partition 2.
 */
import { rename, rm } from 'node:fs/promises';
import { GRUB_CONFIG_PATH, INITRD_PATH, KERNEL_PATH, volumeDate } from './grub.ts';
import type { Tools } from './tools.ts';

/** Not `CPUSHARE`: that label is the seller's configuration volume. */
export const VOLUME_ID = 'CPUSHARE_LIVE';
const BIOS_IMAGE_PATH = '/boot/grub/bios.img';

export interface IsoInput {
  readonly kernel: string;
  readonly initrd: string;
  readonly grubConfig: string;
  /** From packBiosGrub. */
  readonly biosImage: string;
  /** From hybridMbrIn. */
  readonly hybridMbr: string;
  /** From packEsp. */
  readonly esp: string;
  /** Carried along, not used to boot. */
  readonly otherFiles?: readonly (readonly [inVolume: string, onDisk: string])[];
  readonly output: string;
  readonly sourceDateEpoch: number;
}

/** @throws ToolError */
export async function packIso(input: IsoInput, tools: Tools): Promise<string> {
  const partial = `${input.output}.part`;
  await rm(partial, { force: true });
  try {
    await tools.run('xorriso', xorrisoArguments(input, partial));
    await rename(partial, input.output);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return input.output;
}

function xorrisoArguments(input: IsoInput, output: string): string[] {
  const date = volumeDate(input.sourceDateEpoch).iso;
  return [
    // Nothing of the host: no start-up files, no version of the tool in the volume's descriptor.
    ...['-no_rc', '-as', 'mkisofs', '-quiet'],
    ...['-o', output, '-V', VOLUME_ID, '-p', 'CPUSHARE-LIVE', '-publisher', 'CPUSHARE-LIVE'],
    // Rock Ridge with owner root and fixed modes, whatever the files have here (-r alone keeps execute bits).
    ...['-r', '-file-mode', '0444', '-dir-mode', '0555'],
    ...[`--modification-date=${date}`, '--set_all_file_dates', `=${input.sourceDateEpoch}`],
    ...['--gpt_disk_guid', 'modification-date'],
    // USB: MBR code, and a partition table that BIOSes take as bootable and that partition tools can read.
    ...['--grub2-mbr', input.hybridMbr, '--protective-msdos-label', '--mbr-force-bootable', '-partition_offset', '16'],
    ...['-append_partition', '2', '0xef', input.esp, '-appended_part_as_gpt'],
    // CD, BIOS.
    ...['-c', '/boot/boot.cat', '-b', BIOS_IMAGE_PATH],
    ...['-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', '--grub2-boot-info'],
    // CD, UEFI: the same bytes as the partition.
    ...['-eltorito-alt-boot', '-e', '--interval:appended_partition_2:all::', '-no-emul-boot'],
    '-graft-points',
    ...[
      [KERNEL_PATH, input.kernel],
      [INITRD_PATH, input.initrd],
      [GRUB_CONFIG_PATH, input.grubConfig],
      [BIOS_IMAGE_PATH, input.biosImage],
      ...(input.otherFiles ?? []),
    ].map(([inVolume = '', onDisk = '']) => `${inVolume}=${graftEscape(onDisk)}`),
  ];
}

/** In mkisofs path specifications `=` separates and `\` escapes. */
const graftEscape = (path: string) => path.replace(/[\\=]/g, '\\$&');
