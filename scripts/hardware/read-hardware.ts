/** Reads what the hardware list is made of: the staged modules and the name lists among the build tools. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { KernelModules } from '../kernel-modules.ts';
import { type HardwareList, hardwareList } from './hardware-list.ts';
import { parseIdNames } from './id-names.ts';

export interface HardwareInput {
  readonly image: { readonly name: string; readonly version: string };
  readonly modules: KernelModules & { readonly tree: string };
  /** From unpackTools. */
  readonly toolsFolder: string;
}

export async function readHardware({ image, modules, toolsFolder }: HardwareInput): Promise<HardwareList> {
  const folder = join(modules.tree, 'usr/lib/modules', modules.version);
  const text = (path: string) => readFile(path, 'utf8');
  const ids = async (name: string) => parseIdNames(await text(join(toolsFolder, 'usr/share/misc', name)));
  const byName = await Promise.all(
    modules.modules.map(async (path) => {
      const description = moduleDescription(await readFile(join(modules.tree, path)));
      return [basename(path, '.ko').replaceAll('-', '_'), { path, description }] as const;
    }),
  );
  return hardwareList({
    image: { name: image.name, version: image.version },
    kernel: modules.version,
    aliases: await text(join(folder, 'modules.alias')),
    builtin: await text(join(folder, 'modules.builtin')),
    modules: new Map(byName),
    names: { pci: await ids('pci.ids'), usb: await ids('usb.ids') },
  });
}

/** MODULE_DESCRIPTION, a NUL-terminated `description=…` in the section .modinfo. */
export function moduleDescription(module: Buffer): string {
  const key = '\0description=';
  const at = module.indexOf(key, 0, 'latin1');
  if (at === -1) return '';
  const from = at + key.length;
  return module
    .toString('utf8', from, module.indexOf(0, from))
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim();
}
