/** The steps from the root's layers to the ISO: initrd, boot loaders, ESP, ISO, and the reference values of what was made. */
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { initrdCompressor } from './compression.ts';
import { packEsp } from './esp.ts';
import { hybridMbrIn, packBiosGrub, readGrubTemplate, renderGrubConfig } from './grub.ts';
import { packInitrd } from './initrd.ts';
import { packIso } from './iso.ts';
import { ABOUT_FILES } from './medium-files.ts';
import { aboutFiles, aboutStep, type Origin, provenanceStep, referenceValuesStep } from './proof-steps.ts';
import { hardwareStep, reportsOf, sizeTreeStep } from './report-steps.ts';
import { type ImageSteps, readModules } from './root-layers.ts';
import { type Artifact, type Result, type Step, type Steps, sourceFile } from './steps.ts';

export interface MediumInput {
  /** By package name, from unpackStep. */
  readonly packages: ReadonlyMap<string, Result>;
  readonly kernelPackage: string;
  readonly modules: Result;
  readonly layers: { readonly base: Artifact; readonly agent: Artifact };
  /** What the medium says of itself. */
  readonly origin: Origin;
}

/** The parts of the medium, each as the step that made it left it. */
export interface Medium {
  readonly kernel: Artifact;
  readonly initrd: Artifact;
  readonly grubConfig: Artifact;
  readonly biosGrub: Artifact;
  readonly esp: Artifact;
  readonly iso: Artifact;
  readonly referenceValues: Artifact;
  /** CycloneDX. */
  readonly sbom: Artifact;
  readonly provenance: Artifact;
  /** For people: report-names.ts. */
  readonly reports: ReturnType<typeof reportsOf>;
}

const declaredIn = 'medium.ts';

export async function packMedium(shared: ImageSteps, input: MediumInput, steps: Steps): Promise<Medium> {
  const { packages, modules, origin } = input;
  const boot = await bootFiles(input);
  const initrd = (await steps.run(await initrdStep(shared, input))).file('initrd.img');
  const grubConfig = (await steps.run(await grubConfigStep(shared))).file('grub.cfg');
  const biosGrub = (await steps.run(biosGrubStep(shared, packages))).file('bios.img');
  const esp = (await steps.run(espStep(shared, { shim: boot.shim, grub: boot.grub, grubConfig }))).file('esp.img');
  const about = aboutFiles(await steps.run(aboutStep(shared, origin)));
  const parts = { kernel: boot.kernel, initrd, grubConfig, biosGrub, esp };
  const iso = (await steps.run(isoStep(shared, { ...parts, hybridMbr: boot.hybridMbr }, about))).file('image.iso');
  const files = { iso, shim: boot.shim, grub: boot.grub, kernel: boot.kernel, grubConfig, initrd };
  const values = await steps.run(await referenceValuesStep(shared, origin, { modules, files }));
  const referenceValues = values.file('reference-values.json');
  const sbom = about[ABOUT_FILES.sbom] as Artifact;
  const provenance = await steps.run(provenanceStep(shared, origin, { iso, sbom, referenceValues }));
  const hardware = await steps.run(await hardwareStep(shared, modules, origin.tools));
  const weighed = { ...parts, iso, shim: boot.shim, grub: boot.grub, layers: input.layers };
  const reports = reportsOf(hardware, await steps.run(sizeTreeStep(shared, weighed, packages)));
  return { ...parts, iso, referenceValues, sbom, provenance: provenance.file('provenance.json'), reports };
}

async function bootFiles({ packages, kernelPackage, modules }: MediumInput) {
  const { version } = await readModules(modules);
  const file = (name: string, path: string) => sourceFile(join(treeOf(packages, name), path));
  return {
    kernel: await file(kernelPackage, `boot/vmlinuz-${version}`),
    shim: await file('shim-signed', 'usr/lib/shim/shimx64.efi.signed'),
    grub: await file('grub-efi-amd64-signed', 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'),
    hybridMbr: await sourceFile(hybridMbrIn(grubModules(packages))),
  };
}

const treeOf = (packages: MediumInput['packages'], name: string) => join(packages.get(name)?.folder ?? '', 'tree');
const grubModules = (packages: MediumInput['packages']) =>
  join(treeOf(packages, 'grub-pc-bin'), 'usr/lib/grub/i386-pc');

async function initrdStep(shared: ImageSteps, input: MediumInput): Promise<Step> {
  const { spec, sourceDateEpoch, tools, toolContents } = shared;
  const staged = await readModules(input.modules);
  const modules = await Promise.all(
    spec.initrdModules.map(async (name) => {
      const path = staged.modules.find((one) => basename(one) === `${name}.ko`);
      if (path === undefined) throw new Error(`module ${name} was not staged`);
      return sourceFile(join(input.modules.folder, 'tree', path));
    }),
  );
  const { base, agent } = input.layers;
  const compression = spec.initrd;
  const compressor = initrdCompressor(compression)?.tool ?? null;
  return {
    name: `${spec.name}/initrd`,
    recipe: ['initrd.ts', ...(compressor === null ? [] : ['tools.ts'])],
    declaredIn,
    files: {
      ...{ 'base layer': base, 'agent layer': agent },
      ...Object.fromEntries(modules.map((one) => [`module ${basename(one.path)}`, one])),
    },
    values: {
      compression,
      sourceDateEpoch,
      ...(compressor === null ? {} : { [compressor]: toolContents[compressor] }),
    },
    make: async (to) => {
      const files = { modules: modules.map((one) => one.path), layers: { base: base.path, agent: agent.path } };
      await packInitrd({ ...files, compression, output: join(to, 'initrd.img'), sourceDateEpoch }, tools);
    },
  };
}

async function grubConfigStep({ spec, sourceDateEpoch, image }: ImageSteps): Promise<Step> {
  const template = await sourceFile(join(image, 'boot/grub.cfg.mustache'));
  const parameters = spec.kernelCommandLine;
  return {
    name: `${spec.name}/grub-config`,
    recipe: ['grub.ts'],
    declaredIn,
    files: { 'image/boot/grub.cfg.mustache': template },
    values: { parameters, sourceDateEpoch },
    make: async (to) => {
      const config = { template: await readGrubTemplate(image), parameters, sourceDateEpoch };
      await writeFile(join(to, 'grub.cfg'), renderGrubConfig(config));
    },
  };
}

function biosGrubStep(shared: ImageSteps, packages: MediumInput['packages']): Step {
  const { spec, sourceDateEpoch, tools, toolContents } = shared;
  const from = packages.get('grub-pc-bin');
  return {
    name: `${spec.name}/bios-grub`,
    recipe: ['grub.ts', 'tools.ts'],
    declaredIn,
    files: { 'package grub-pc-bin': { path: grubModules(packages), sha256: from?.sha256 ?? '' } },
    values: { sourceDateEpoch, 'grub-mkimage': toolContents['grub-mkimage'] },
    make: async (to) => {
      const input = { moduleFolder: grubModules(packages), sourceDateEpoch, output: join(to, 'bios.img') };
      await packBiosGrub(input, tools);
    },
  };
}

type EspFiles = Readonly<Record<'shim' | 'grub' | 'grubConfig', Artifact>>;

function espStep({ spec, sourceDateEpoch, tools, toolContents }: ImageSteps, files: EspFiles): Step {
  const { mformat, mmd, mcopy } = toolContents;
  return {
    name: `${spec.name}/esp`,
    recipe: ['esp.ts', 'tools.ts'],
    declaredIn,
    files,
    values: { sourceDateEpoch, mformat, mmd, mcopy },
    make: async (to) => {
      await packEsp({ ...pathsOf(files), output: join(to, 'esp.img') }, tools);
    },
  };
}

type IsoFiles = Readonly<Record<'kernel' | 'initrd' | 'grubConfig' | 'biosGrub' | 'hybridMbr' | 'esp', Artifact>>;

function isoStep(shared: ImageSteps, files: IsoFiles, about: Readonly<Record<string, Artifact>>): Step {
  const { spec, sourceDateEpoch, tools, toolContents } = shared;
  return {
    name: `${spec.name}/iso`,
    recipe: ['iso.ts', 'tools.ts'],
    declaredIn,
    files: { ...files, ...about },
    values: { sourceDateEpoch, xorriso: toolContents.xorriso },
    make: async (to) => {
      const { biosGrub, ...parts } = pathsOf(files);
      const otherFiles = Object.entries(pathsOf(about));
      const output = join(to, 'image.iso');
      await packIso({ ...parts, biosImage: biosGrub, otherFiles, output, sourceDateEpoch }, tools);
    },
  };
}

function pathsOf<Name extends string>(files: Readonly<Record<Name, Artifact>>): Record<Name, string> {
  const paths = Object.entries<Artifact>(files).map(([name, { path }]) => [name, path]);
  return Object.fromEntries(paths) as Record<Name, string>;
}
