/** The steps whose results people read: which hardware the image drives, and what it is made of. */
import { basename, join } from 'node:path';
import { writeHardware, writeSizeTree } from './image-reports.ts';
import { REPORTS } from './report-names.ts';
import { type ImageSteps, readModules } from './root-layers.ts';
import { type Artifact, type Result, type Step, sourceFile } from './steps.ts';

const declaredIn = 'report-steps.ts';

/** Makes hardware.json and hardware.html. */
export async function hardwareStep({ spec }: ImageSteps, modules: Result, tools: Result): Promise<Step> {
  const { name, version } = spec;
  const toolsFolder = join(tools.folder, 'root');
  const ids = (file: string) => sourceFile(join(toolsFolder, 'usr/share/misc', file));
  return {
    name: `${name}/hardware`,
    recipe: ['image-reports.ts'],
    declaredIn,
    files: {
      ...{ 'kernel modules': { path: modules.folder, sha256: modules.sha256 } },
      ...{ 'pci.ids': await ids('pci.ids'), 'usb.ids': await ids('usb.ids') },
    },
    values: { name, version },
    make: async (to) => {
      const staged = { ...(await readModules(modules)), tree: join(modules.folder, 'tree') };
      await writeHardware({ name, version }, { modules: staged, toolsFolder }, to);
    },
  };
}

export interface Weighable {
  readonly iso: Artifact;
  readonly kernel: Artifact;
  readonly initrd: Artifact;
  readonly esp: Artifact;
  readonly biosGrub: Artifact;
  readonly shim: Artifact;
  readonly grub: Artifact;
  readonly layers: { readonly base: Artifact; readonly agent: Artifact };
}

/** Makes size-tree.json. @param packages those of the root */
export function sizeTreeStep({ spec }: ImageSteps, files: Weighable, packages: ReadonlyMap<string, Result>): Step {
  const { name, version } = spec;
  const { layers, shim, grub, ...whole } = files;
  const trees = [...packages].map(([one, { folder, sha256 }]) => [`package ${one}`, { path: folder, sha256 }]);
  return {
    name: `${name}/size-tree`,
    recipe: ['image-reports.ts'],
    declaredIn,
    files: {
      ...{ ...whole, shim, grub, 'base layer': layers.base, 'agent layer': layers.agent },
      ...Object.fromEntries(trees),
    },
    values: { name, version },
    make: async (to) => {
      const { iso, kernel, initrd, esp, biosGrub } = whole;
      const built = {
        ...{ iso: iso.path, kernel: kernel.path, initrd: initrd.path, esp: esp.path, biosGrub: biosGrub.path },
        espFiles: { [`BOOTX64.EFI (${basename(shim.path)})`]: shim.path, 'grubx64.efi': grub.path },
        layers: { base: layers.base.path, agent: layers.agent.path },
        packageTrees: Object.fromEntries([...packages].map(([one, { folder }]) => [one, join(folder, 'tree')])),
      };
      await writeSizeTree({ name, version }, built, to);
    },
  };
}

/** Each under the name that publish knows. */
export function reportsOf(hardware: Result, sizeTree: Result): Record<keyof typeof REPORTS, Artifact> {
  return {
    hardware: hardware.file(REPORTS.hardware),
    hardwarePage: hardware.file(REPORTS.hardwarePage),
    sizeTree: sizeTree.file(REPORTS.sizeTree),
  };
}
