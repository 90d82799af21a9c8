/** From .debs to folders: the build tools in one tree that can be run from, each other package in a tree of its own. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Decompress, decompressInProcess, decompressWith, type TreeEntry, unpackDeb } from './deb.ts';
import type { LockedPackage } from './lock-file.ts';
import type { UnpackedPackage } from './rootfs.ts';
import type { Artifact, Result, Step } from './steps.ts';
import { toolContents } from './tool-contents.ts';
import { lockedTools, type Tools } from './tools.ts';

/** Verified .debs by sha256, as fetchPackages returns them. */
export type Debs = ReadonlyMap<string, string>;
/** Downloads what is asked for. */
export type GetDebs = (packages: readonly LockedPackage[]) => Promise<Debs>;

/** What the locked xz itself needs: unpacked in process, all else by it. */
const XZ_PACKAGES = ['libc6', 'liblzma5', 'xz-utils'];

/** Makes `root/`, the tools over each other as an installed system has them, and `contents.json`. */
export function toolsStep(packages: readonly LockedPackage[], getDebs: GetDebs): Step {
  const byName = Object.fromEntries(packages.map((one) => [one.name, debOf(one)]));
  return {
    name: 'tools',
    recipe: ['deb.ts', 'tool-contents.ts'],
    declaredIn: 'packages.ts',
    files: byName,
    values: {},
    make: async (to) => {
      const root = join(to, 'root');
      await unpackTools(packages, await getDebs(packages), root);
      await writeFile(join(to, 'contents.json'), JSON.stringify(await toolContents(root)));
    },
  };
}

/** One package of kernel, boot or root: `tree/`, and `entries.json` with what it holds. */
export function unpackStep(one: LockedPackage, getDebs: GetDebs, tools: Tools): Step {
  return {
    name: `package/${one.name}`,
    recipe: ['deb.ts', 'tools.ts'],
    declaredIn: 'packages.ts',
    files: { deb: debOf(one) },
    values: { version: one.version },
    make: async (to) => {
      const deb = (await getDebs([one])).get(one.sha256) ?? '';
      await mkdir(join(to, 'tree'));
      const entries = await unpackDeb(deb, join(to, 'tree'), decompressWith(tools));
      await writeFile(join(to, 'entries.json'), JSON.stringify(entries));
    },
  };
}

/** Known by the lock before it is downloaded. */
function debOf(one: LockedPackage): Artifact {
  return { path: one.path, sha256: one.sha256 };
}

/** Unpacks the tools over each other. */
export async function unpackTools(tools: readonly LockedPackage[], debs: Debs, folder: string): Promise<void> {
  const isFirst = (one: LockedPackage) => XZ_PACKAGES.includes(one.name);
  const unpack = async (one: LockedPackage, decompress: Decompress) => {
    await unpackDeb(debs.get(one.sha256) ?? '', folder, decompress);
  };
  for (const one of tools.filter(isFirst)) await unpack(one, decompressInProcess);
  const decompress = decompressWith(lockedTools(folder, 0));
  await eachTwice(
    tools.filter((one) => !isFirst(one)),
    (one) => unpack(one, decompress),
  );
}

export async function readUnpacked(name: string, result: Result): Promise<UnpackedPackage> {
  const entries = JSON.parse(await readFile(join(result.folder, 'entries.json'), 'utf8')) as TreeEntry[];
  return { name, folder: join(result.folder, 'tree'), entries };
}

/** Two at a time: one decompresses while the other writes. */
export async function eachTwice<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all([worker(), worker()]);
}
