/** What a build publishes beside the ISO for people: which hardware it drives, and what it is made of. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hardwarePage } from './hardware/hardware-page.ts';
import { readHardware } from './hardware/read-hardware.ts';
import type { KernelModules } from './kernel-modules.ts';
import { REPORTS } from './report-names.ts';
import { decompressBlock } from './size-tree/decompress-block.ts';
import { type SizeTree, sizeTree } from './size-tree/size-tree.ts';
import { readPackedFiles } from './squashfs-reader.ts';

type Image = { readonly name: string; readonly version: string };

/** `hardware.json` and `hardware.html`. @param toolsFolder has usr/share/misc/{pci,usb}.ids */
export async function writeHardware(
  image: Image,
  from: { readonly modules: KernelModules & { readonly tree: string }; readonly toolsFolder: string },
  output: string,
): Promise<void> {
  const list = await readHardware({ image, ...from });
  await writeFile(join(output, REPORTS.hardware), `${JSON.stringify(list, null, 1)}\n`);
  await writeFile(join(output, REPORTS.hardwarePage), hardwarePage(list));
}

export interface BuiltFiles {
  readonly iso: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly esp: string;
  readonly biosGrub: string;
  /** By name: what lies on the ESP. */
  readonly espFiles: Readonly<Record<string, string>>;
  readonly layers: { readonly base: string; readonly agent: string };
  /** The unpacked trees of packages, by package name. */
  readonly packageTrees: Readonly<Record<string, string>>;
}

/** `size-tree.json`. @throws SquashfsError */
export async function writeSizeTree(image: Image, files: BuiltFiles, output: string): Promise<void> {
  const bytesOf = async (path: string) => (await stat(path)).size;
  const layer = async (path: string) => {
    const squashfs = await readFile(path);
    return { ...(await readPackedFiles(squashfs, decompressBlock)), layerBytes: squashfs.length };
  };
  const packages = await packageOfPath(files.packageTrees);
  const espFiles = await Promise.all(
    Object.entries(files.espFiles).map(async ([name, path]) => [name, await bytesOf(path)] as const),
  );
  const tree: SizeTree = sizeTree({
    image,
    isoBytes: await bytesOf(files.iso),
    kernelBytes: await bytesOf(files.kernel),
    initrdBytes: await bytesOf(files.initrd),
    espBytes: await bytesOf(files.esp),
    biosGrubBytes: await bytesOf(files.biosGrub),
    espFiles: Object.fromEntries(espFiles),
    base: await layer(files.layers.base),
    agent: await layer(files.layers.agent),
    packageOf: (path) => packages.get(path),
  });
  await writeFile(join(output, REPORTS.sizeTree), `${JSON.stringify(tree, null, 1)}\n`);
}

async function packageOfPath(trees: BuiltFiles['packageTrees']): Promise<Map<string, string>> {
  const byPath = new Map<string, string>();
  for (const [name, folder] of Object.entries(trees)) {
    for (const one of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (one.isFile()) byPath.set(join(one.parentPath, one.name).slice(folder.length + 1), name);
    }
  }
  return byPath;
}
