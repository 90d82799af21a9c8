/** From .debs to folders: the build tools in one tree that can be run from, all other packages in a folder each. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Decompress, decompressInProcess, decompressWith, type TreeEntry, unpackDeb } from './deb.ts';
import { type ImageLock, type LockedPackage, packagesFor } from './lock-file.ts';
import type { UnpackedPackage } from './rootfs.ts';
import { lockedTools, type Tools } from './tools.ts';

/** Verified .debs by sha256, as fetchPackages returns them. */
export type Debs = ReadonlyMap<string, string>;

/** What the locked xz itself needs: unpacked in process, all else by it. */
const XZ_PACKAGES = ['libc6', 'liblzma5', 'xz-utils'];

/** Unpacks the tools over each other, as an installed system has them. */
export async function unpackTools(lock: ImageLock, debs: Debs, folder: string): Promise<void> {
  const packages = packagesFor(lock, 'tools');
  const isFirst = (one: LockedPackage) => XZ_PACKAGES.includes(one.name);
  for (const one of packages.filter(isFirst)) await unpackDeb(debOf(debs, one), folder, decompressInProcess);
  const decompress = decompressWith(lockedTools(folder, lock.sourceDateEpoch));
  await eachTwice(
    packages.filter((one) => !isFirst(one)),
    async (one) => {
      await unpackDeb(debOf(debs, one), folder, decompress);
    },
  );
}

/** Unpacks each package of kernel, boot and root into FOLDER/NAME, and lists what it found in FOLDER/index.json. */
export async function unpackPackages(lock: ImageLock, debs: Debs, folder: string, tools: Tools): Promise<void> {
  const decompress: Decompress = decompressWith(tools);
  const packages = lock.packages.filter((one) => one.roles.some((role) => role !== 'tools'));
  const index: Record<string, TreeEntry[]> = {};
  await eachTwice(packages, async (one) => {
    await mkdir(join(folder, one.name));
    index[one.name] = await unpackDeb(debOf(debs, one), join(folder, one.name), decompress);
  });
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
}

/** Sorted by name, so that nothing depends on the order of the lock. */
export async function readUnpacked(folder: string, packages: readonly LockedPackage[]): Promise<UnpackedPackage[]> {
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Record<string, TreeEntry[]>;
  const names = packages.map((one) => one.name).sort();
  return names.map((name) => ({ name, folder: join(folder, name), entries: index[name] ?? [] }));
}

/** Where a package of the lock was unpacked to. */
export function packageTrees(lock: ImageLock, packages: string, tools: string): (name: string) => string | undefined {
  const folders = lock.packages.map(({ name, roles }) => {
    const isTool = roles.every((role) => role === 'tools');
    return [name, isTool ? tools : join(packages, name)] as const;
  });
  const known = new Map(folders);
  return (name) => known.get(name);
}

function debOf(debs: Debs, one: LockedPackage): string {
  const path = debs.get(one.sha256);
  if (path === undefined) throw new Error(`${one.name} was not fetched`);
  return path;
}

/** Two at a time: one decompresses while the other writes. */
async function eachTwice<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all([worker(), worker()]);
}
