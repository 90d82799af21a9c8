/** A folder that VMware Workstation, Player and Fusion open: settings beside the ISO, which is put in as a CD. */
import { constants } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fatVolume, SECTOR_BYTES } from '../stick/fat-volume.ts';
import { contentId, ExportError, type IsoFacts } from './iso-content.ts';
import { MEMORY_MIB, type NetworkCard, PROCESSORS } from './ovf.ts';

export interface VmxInput {
  readonly iso: IsoFacts;
  readonly name: string;
  readonly networkCard: NetworkCard;
  /** Goes onto a small disk labelled CPUSHARE beside the CD. */
  readonly configuration: Uint8Array | undefined;
  /** The folder; must not be there yet. */
  readonly output: string;
}

const CARDS = { e1000: 'e1000e', paravirtual: 'vmxnet3' } as const;
const DISK = 'cpushare-configuration';

/** @throws ExportError, VolumeError */
export async function writeVmx(input: VmxInput): Promise<void> {
  const { iso, name, configuration, output } = input;
  const partial = `${output}.part`;
  const there = await stat(output).catch(() => undefined);
  if (there !== undefined) {
    throw new ExportError('EXPORT_EXISTS', `${output} is there already, perhaps with a machine in use`, {
      nextStep: 'remove that folder, or name another with --out',
    });
  }
  await rm(partial, { recursive: true, force: true });
  try {
    await mkdir(dirname(output), { recursive: true });
    await mkdir(partial);
    await copyFile(iso.path, join(partial, `${name}.iso`), constants.COPYFILE_FICLONE);
    await writeFile(join(partial, `${name}.vmx`), renderVmx(input));
    if (configuration !== undefined) await writeConfigurationDisk(partial, configuration);
    await rename(partial, output);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

export function renderVmx({ name, networkCard, configuration }: Omit<VmxInput, 'iso' | 'output'>): string {
  const settings: [string, string | number][] = [
    ['.encoding', 'UTF-8'],
    ['config.version', 8],
    ['virtualHW.version', 19], // Workstation 16.2, Fusion 12.2: the first that add a TPM by the setting below
    ['displayName', name],
    ['guestOS', 'debian11-64'],
    ['memsize', MEMORY_MIB],
    ['numvcpus', PROCESSORS],
    ['firmware', 'efi'],
    ['uefi.secureBoot.enabled', 'TRUE'],
    ['nvram', `${name}.nvram`],
    ['managedvm.autoAddVTPM', 'software'],
    ['vhv.enable', 'TRUE'],
    // Without these bridges there is no slot for the network card.
    ['pciBridge0.present', 'TRUE'],
    ...[4, 5, 6, 7].flatMap((bridge): [string, string | number][] => [
      [`pciBridge${bridge}.present`, 'TRUE'],
      [`pciBridge${bridge}.virtualDev`, 'pcieRootPort'],
      [`pciBridge${bridge}.functions`, 8],
    ]),
    ['sata0.present', 'TRUE'],
    ['sata0:0.present', 'TRUE'],
    ['sata0:0.deviceType', 'cdrom-image'],
    ['sata0:0.fileName', `${name}.iso`],
    ...(configuration === undefined ? [] : configurationSettings()),
    ['ethernet0.present', 'TRUE'],
    ['ethernet0.connectionType', 'nat'],
    ['ethernet0.addressType', 'generated'],
    ['ethernet0.virtualDev', CARDS[networkCard]],
    ['floppy0.present', 'FALSE'],
    ['sound.present', 'FALSE'],
  ];
  return settings.map(([key, value]) => `${key} = "${quoted(String(value))}"\n`).join('');
}

function configurationSettings(): [string, string][] {
  return [
    ['sata0:1.present', 'TRUE'],
    ['sata0:1.fileName', `${DISK}.vmdk`],
  ];
}

/** Double quotes and bars are written as a bar and their number. */
function quoted(value: string): string {
  return value.replace(/["|]/g, (character) => `|${character.charCodeAt(0).toString(16)}`);
}

/** A flat VMDK: a description, and the volume's bytes as they are. */
async function writeConfigurationDisk(folder: string, configuration: Uint8Array): Promise<void> {
  const volume = fatVolume(configuration);
  const id = (await contentId([volume])).readUInt32LE(0) || 1;
  const sectors = volume.length / SECTOR_BYTES;
  const lines = [
    '# Disk DescriptorFile',
    'version=1',
    `CID=${id.toString(16).padStart(8, '0')}`,
    'parentCID=ffffffff',
    'createType="monolithicFlat"',
    '',
    '# Extent description', // an empty line right before the next would make QEMU read that twice
    `RW ${sectors} FLAT "${DISK}-flat.vmdk" 0`,
    '',
    'ddb.virtualHWVersion = "19"',
    'ddb.adapterType = "ide"',
    `ddb.geometry.cylinders = "${Math.ceil(sectors / (16 * 63))}"`,
    'ddb.geometry.heads = "16"',
    'ddb.geometry.sectors = "63"',
    '',
  ];
  await writeFile(join(folder, `${DISK}-flat.vmdk`), volume);
  await writeFile(join(folder, `${DISK}.vmdk`), lines.join('\n'));
}
