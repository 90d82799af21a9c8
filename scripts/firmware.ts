/** Device firmware that the chosen kernel modules name, out of packages that hold far more of it. */
import { join } from 'node:path';
import { type Available, followLinks } from './elf-closure.ts';
import { globToRegExp } from './glob.ts';
import type { ImageSpec } from './image-spec.ts';
import type { Tools } from './tools.ts';

/** Where the kernel looks, with merged /usr. */
export const FIRMWARE_FOLDER = 'usr/lib/firmware';

/** What the modules' authors wrote down (MODULE_FIRMWARE): names below the firmware folder, some with `*`. Sorted. */
export async function namedFirmware(tree: string, modules: readonly string[], tools: Tools): Promise<string[]> {
  const files = modules.map((path) => join(tree, path));
  const { stdout } = await tools.run('modinfo', ['-F', 'firmware', ...files]);
  return [...new Set(stdout.split('\n').filter(Boolean))].sort();
}

/**
 * Paths of the files to take, and of the links on the way to them. A name that no package holds is passed over: it is of
 * a device that was never sold, or whose maker allows nobody to pass its firmware on.
 */
export function chooseFirmware(
  names: readonly string[],
  available: Available,
  leaveOut: NonNullable<ImageSpec['firmware']>['leaveOut'],
): string[] {
  const held = [...available.keys()].filter((path) => path.startsWith(`${FIRMWARE_FOLDER}/`));
  const unwanted = leaveOut.map((glob) => globToRegExp(`${FIRMWARE_FOLDER}/${glob}`));
  const chosen = new Set<string>();
  for (const name of names) {
    for (const path of pathsFor(`${FIRMWARE_FOLDER}/${name}`, held)) {
      if (unwanted.some((pattern) => pattern.test(path))) continue;
      for (const step of followLinks(path, available) ?? []) chosen.add(step);
    }
  }
  return [...chosen].sort();
}

/** iwlwifi names the newest interface it speaks and takes the next older one where that is missing: so do we. */
function pathsFor(wanted: string, held: readonly string[]): string[] {
  const newest = versionOf(wanted);
  if (newest === null) {
    const pattern = globToRegExp(wanted);
    return held.filter((path) => pattern.test(path));
  }
  const candidates = held
    .map((path) => ({ path, found: versionOf(path) }))
    .filter(({ found }) => found?.stem === newest.stem && found.version <= newest.version)
    .sort((a, b) => (b.found?.version ?? 0) - (a.found?.version ?? 0));
  return candidates.slice(0, 1).map(({ path }) => path);
}

function versionOf(path: string): { readonly stem: string; readonly version: number } | null {
  const match = /^(.*\/iwlwifi-.*-)(\d+)\.ucode$/.exec(path);
  return match === null ? null : { stem: match[1] ?? '', version: Number(match[2]) };
}
