/**
 * GRUB: its one configuration file, read by the signed GRUB from CD and USB and by our BIOS core from either, and that
 * BIOS core image. Where each GRUB looks for the file: docs of the package grub-efi-amd64-signed (prefix /EFI/debian).
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import mustache from 'mustache';
import { CodedError } from '../src/shared/errors.ts';
import type { Tools } from './tools.ts';

export class GrubError extends CodedError<'BOOT_PARAMETER_INVALID'> {}

/** Paths on the ISO 9660 volume. GRUB names the first in `BOOT_IMAGE=`, so it is part of what is measured. */
export const KERNEL_PATH = '/boot/vmlinuz';
export const INITRD_PATH = '/boot/initrd.img';
/** Where Debian's signed GRUB looks for its configuration, on the ISO 9660 volume (CD) and in the ESP (USB). */
export const GRUB_CONFIG_PATH = '/EFI/debian/grub.cfg';

/** Enough to read our volume from any BIOS disk or CD and start Linux; nothing that opens another way in. */
const BIOS_MODULES = ['biosdisk', 'iso9660', 'part_gpt', 'part_msdos', 'search', 'search_fs_uuid'].concat([
  'normal',
  'linux',
  'boot',
  'echo',
  'sleep',
  'reboot',
]);

/** The volume's date as xorriso writes it (`--modification-date`) and as GRUB and blkid print it as its UUID. */
export function volumeDate(sourceDateEpoch: number): { readonly iso: string; readonly uuid: string } {
  const digits = new Date(sourceDateEpoch * 1000).toISOString().replace(/\D/g, '').slice(0, 16);
  return { iso: digits, uuid: digits.replace(/^(....)(..)(..)(..)(..)(..)(..)$/, '$1-$2-$3-$4-$5-$6-$7') };
}

export interface GrubConfigInput {
  /** Text of image/boot/grub.cfg.mustache. */
  readonly template: string;
  /** Kernel parameters from image.json. */
  readonly parameters: readonly string[];
  readonly sourceDateEpoch: number;
}

/** @throws GrubError when a parameter would be more, or something else, than one word to GRUB or to the kernel */
export function renderGrubConfig(input: GrubConfigInput): string {
  for (const parameter of input.parameters) refuseUnsafe(parameter);
  return mustache.render(input.template, {
    volumeUuid: volumeDate(input.sourceDateEpoch).uuid,
    kernelPath: KERNEL_PATH,
    initrdPath: INITRD_PATH,
    commandLine: input.parameters.join(' '),
  });
}

export interface BiosGrubInput {
  /** usr/lib/grub/i386-pc of the unpacked grub-pc-bin. */
  readonly moduleFolder: string;
  readonly sourceDateEpoch: number;
  readonly output: string;
}

/** El Torito boot image for BIOS: GRUB's CD loader with a core that goes on with the same configuration file. */
export async function packBiosGrub(input: BiosGrubInput, tools: Tools): Promise<string> {
  const prefix = dirname(GRUB_CONFIG_PATH);
  const embedded = `${input.output}.cfg`;
  await writeFile(
    embedded,
    `search --no-floppy --fs-uuid --set=root ${volumeDate(input.sourceDateEpoch).uuid}\nset prefix=($root)${prefix}\n`,
  );
  try {
    await tools.run('grub-mkimage', [
      ...['--format', 'i386-pc-eltorito'],
      ...['--directory', input.moduleFolder],
      ...['--prefix', prefix],
      ...['--config', embedded],
      ...['--output', input.output],
      ...BIOS_MODULES,
    ]);
  } finally {
    await rm(embedded, { force: true });
  }
  return input.output;
}

/** `boot_hybrid.img`: the MBR code that starts the BIOS image when the ISO lies on a USB stick. */
export const hybridMbrIn = (moduleFolder: string): string => join(moduleFolder, 'boot_hybrid.img');

export async function readGrubTemplate(imageFolder: string): Promise<string> {
  return await readFile(join(imageFolder, 'boot/grub.cfg.mustache'), 'utf8');
}

/** No white space, quotes, expansion or separators: then "one word here" means the same to GRUB, the kernel and us. */
function refuseUnsafe(parameter: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.,:=+@%/-]*$/.test(parameter)) return;
  throw new GrubError('BOOT_PARAMETER_INVALID', `kernel parameter ${JSON.stringify(parameter)} is not one plain word`, {
    nextStep: 'use only letters, digits and _.,:=+@%/- in commandLine of image/image.json',
  });
}
