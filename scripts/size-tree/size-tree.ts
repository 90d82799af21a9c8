/**
 * What each part of the ISO weighs in it, down to packages and files. The parts add up to the ISO. Bytes of files are what
 * their blocks take in the squashfs (squashfs-reader.ts), so they are exact for large files and a share for small ones.
 */
import type { PackedFiles } from '../squashfs-reader.ts';

export interface SizeNode {
  readonly name: string;
  /** In the ISO. */
  readonly bytes: number;
  /** Unpacked, where that is known and differs. */
  readonly unpackedBytes?: number;
  readonly children?: readonly SizeNode[];
}

export interface SizeTree {
  readonly format: 'cpushare-size-tree';
  readonly version: 1;
  readonly image: { readonly name: string; readonly version: string };
  readonly isoBytes: number;
  /** Largest first. */
  readonly parts: readonly SizeNode[];
}

/** Names that budgets in image.json use, with what they are in words. */
export const PARTS = {
  base: 'programs and libraries',
  drivers: 'kernel modules',
  firmware: 'programs of devices',
  kernel: 'kernel',
  agent: 'sell client and settings',
  initrd: 'early user space',
  esp: 'EFI boot loaders',
  'bios-grub': 'legacy BIOS boot loader',
  medium: 'file system of the medium, documents',
} as const;
export type PartName = keyof typeof PARTS;

export interface Weighed {
  readonly image: { readonly name: string; readonly version: string };
  readonly isoBytes: number;
  readonly kernelBytes: number;
  readonly initrdBytes: number;
  readonly espBytes: number;
  readonly biosGrubBytes: number;
  /** By name: files on the ESP. */
  readonly espFiles: Readonly<Record<string, number>>;
  readonly base: PackedFiles & { readonly layerBytes: number };
  readonly agent: PackedFiles & { readonly layerBytes: number };
  /** Which package a path of the root comes from. */
  readonly packageOf: (path: string) => string | undefined;
}

const DRIVERS = /^usr\/lib\/modules\//;
const FIRMWARE = /^usr\/lib\/firmware\//;

export function sizeTree(weighed: Weighed): SizeTree {
  const { base, agent, isoBytes, initrdBytes, kernelBytes } = weighed;
  const packageOf = ({ path }: File) => weighed.packageOf(path) ?? 'made by the build';
  const drivers = grouped(
    base.files.filter(({ path }) => DRIVERS.test(path)),
    driverFolder,
    0,
  );
  const firmware = grouped(
    base.files.filter(({ path }) => FIRMWARE.test(path)),
    packageOf,
    0,
  );
  const programs = base.files.filter(({ path }) => !DRIVERS.test(path) && !FIRMWARE.test(path));
  const programBytes = base.layerBytes - drivers.bytes - firmware.bytes;
  const parts: SizeNode[] = [
    { ...grouped(programs, packageOf, programBytes), name: 'base' },
    { ...drivers, name: 'drivers' },
    // Few images have any.
    ...(firmware.bytes > 0 ? [{ ...firmware, name: 'firmware' }] : []),
    { ...grouped(agent.files, ({ path }) => path, agent.layerBytes), name: 'agent' },
    { name: 'kernel', bytes: kernelBytes },
    { name: 'initrd', bytes: initrdBytes - base.layerBytes - agent.layerBytes },
    esp(weighed),
    { name: 'bios-grub', bytes: weighed.biosGrubBytes },
  ];
  const rest = isoBytes - parts.reduce((sum, one) => sum + one.bytes, 0);
  parts.push({ name: 'medium', bytes: rest });
  const image = { name: weighed.image.name, version: weighed.image.version };
  return { format: 'cpushare-size-tree', version: 1, image, isoBytes, parts: parts.sort(bySize) };
}

/** Folders below kernel/, two deep: what a driver is for. */
function driverFolder({ path }: { path: string }): string {
  const below = path.replace(/^usr\/lib\/modules\/[^/]+\//, '').split('/');
  return below[0] === 'kernel' ? below.slice(1, 3).join('/') : 'lists of modules';
}

type File = PackedFiles['files'][number];

/** @param totalBytes what the group takes in all; the rest beyond the files is named so. 0: the files alone. */
function grouped(files: readonly File[], groupOf: (file: File) => string, totalBytes: number): SizeNode {
  const groups = new Map<string, File[]>();
  for (const file of files) {
    const name = groupOf(file);
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  const children = [...groups].map(([name, own]): SizeNode => {
    const leaves = own.map(leaf);
    const [only] = leaves;
    if (leaves.length === 1 && only?.name === name) return only;
    return { ...summed(leaves), name, children: leaves.sort(bySize) };
  });
  const { bytes, unpackedBytes } = summed(children);
  const rest = totalBytes - bytes;
  const all = rest > 0 && totalBytes > 0 ? [...children, { name: 'squashfs tables', bytes: rest }] : children;
  return { name: '', bytes: Math.max(bytes, totalBytes), unpackedBytes, children: all.sort(bySize) };
}

function leaf({ path, packedBytes, sizeBytes }: File): SizeNode & { unpackedBytes: number } {
  return { name: path, bytes: packedBytes, unpackedBytes: sizeBytes };
}

function summed(nodes: readonly SizeNode[]) {
  return {
    bytes: nodes.reduce((sum, one) => sum + one.bytes, 0),
    unpackedBytes: nodes.reduce((sum, one) => sum + (one.unpackedBytes ?? one.bytes), 0),
  };
}

function esp({ espBytes, espFiles }: Weighed): SizeNode {
  const files = Object.entries(espFiles).map(([name, bytes]) => ({ name, bytes }));
  const rest = espBytes - files.reduce((sum, one) => sum + one.bytes, 0);
  return {
    name: 'esp',
    bytes: espBytes,
    children: [...files, { name: 'FAT tables, slack', bytes: rest }].sort(bySize),
  };
}

const bySize = (a: SizeNode, b: SizeNode) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1);

/** Walks names such as `base`, `libnode115`. Undefined when one of them is not there. */
export function nodeAt(tree: SizeTree, names: readonly string[]): SizeNode | undefined {
  const root: SizeNode = { name: tree.image.name, bytes: tree.isoBytes, children: tree.parts };
  return names.reduce<SizeNode | undefined>((node, name) => node?.children?.find((one) => one.name === name), root);
}
