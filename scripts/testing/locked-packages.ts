/** Build tools and boot loaders of the lock, unpacked for a test; downloads come from the cache that builds fill. */
import { join } from 'node:path';
import { chooseMirrors } from '../apt/mirrors.ts';
import { cacheFolder } from '../cache-folder.ts';
import { decompressWith, unpackDeb } from '../deb.ts';
import { fetchPackages } from '../fetch.ts';
import { readImageSpec } from '../image-spec.ts';
import { packagesFor, readLock } from '../lock-file.ts';
import { unpackTools } from '../packages.ts';
import { projectRoot } from '../project.ts';
import { lockedTools, type Tools } from '../tools.ts';

export interface LockedPackages {
  readonly tools: Tools;
  readonly folderOf: (name: string) => string;
  readonly versionOf: (name: string) => string | undefined;
}

export async function unpackLocked(names: readonly string[], folder: string): Promise<LockedPackages> {
  const image = join(projectRoot, 'image');
  const lock = await readLock(join(image, 'image.lock.json'), await readImageSpec(join(image, 'image.json')));
  const wanted = lock.packages.filter((one) => one.roles.includes('tools') || names.includes(one.name));
  const debs = await fetchPackages(wanted, { cache: cacheFolder(), mirrors: () => chooseMirrors({}) });
  const toolsFolder = join(folder, 'tools');
  await unpackTools(packagesFor(lock, 'tools'), debs, toolsFolder);
  const tools = lockedTools(toolsFolder, lock.sourceDateEpoch);
  for (const one of wanted.filter(({ name }) => names.includes(name))) {
    await unpackDeb(debs.get(one.sha256) ?? '', join(folder, one.name), decompressWith(tools));
  }
  return {
    tools,
    folderOf: (name) => join(folder, name),
    versionOf: (name) => lock.packages.find((one) => one.name === name)?.version,
  };
}
