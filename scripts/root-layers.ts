/** The steps from unpacked packages and the sell client's bundle to the root's two squashfs layers. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { SquashfsCompression } from './compression.ts';
import { sha256OfFile } from './fetch.ts';
import { namedFirmware } from './firmware.ts';
import type { ImageSpec } from './image-spec.ts';
import { type KernelModules, stageKernelModules } from './kernel-modules.ts';
import { readUnpacked } from './packages.ts';
import type { RootEntry } from './root-entry.ts';
import { rootTar } from './root-tar.ts';
import { composeAgent, composeBase } from './rootfs.ts';
import { packSquashfs } from './squashfs.ts';
import type { Inputs } from './step-differences.ts';
import type { Artifact, Result, Step } from './steps.ts';
import type { ToolContents } from './tool-contents.ts';
import type { Tools } from './tools.ts';

/** What all steps of one image share. */
export interface ImageSteps {
  /** image/ of the checkout. */
  readonly image: string;
  readonly spec: ImageSpec;
  readonly sourceDateEpoch: number;
  readonly tools: Tools;
  readonly toolContents: ToolContents;
}

/** As modules.json of modulesStep holds them. */
export interface StagedModules extends KernelModules {
  /** As they lie in the image: what IMA measures when the kernel loads one. */
  readonly hashes: readonly { readonly path: string; readonly sha256: string }[];
}

const declaredIn = 'root-layers.ts';

/** Makes `tree/` with usr/lib/modules/VERSION below it, and `modules.json`. */
export function modulesStep({ spec, tools, toolContents }: ImageSteps, kernel: Result): Step {
  const wanted = [...spec.kernelModules, ...spec.initrdModules];
  return {
    name: `${spec.name}/modules`,
    recipe: ['kernel-modules.ts', 'tools.ts'],
    declaredIn,
    files: { kernel: { path: kernel.folder, sha256: kernel.sha256 } },
    values: { wanted, depmod: toolContents.depmod, xz: toolContents.xz },
    make: async (to) => {
      const input = { kernelFolder: join(kernel.folder, 'tree'), wanted, output: join(to, 'tree') };
      const staged = await stageKernelModules(input, tools);
      const hashes = await Promise.all(
        staged.modules.map(async (path) => ({ path: `/${path}`, sha256: await sha256OfFile(join(to, 'tree', path)) })),
      );
      await writeFile(join(to, 'modules.json'), JSON.stringify({ ...staged, hashes } satisfies StagedModules));
    },
  };
}

export async function readModules(modules: Result): Promise<StagedModules> {
  return JSON.parse(await readFile(join(modules.folder, 'modules.json'), 'utf8')) as StagedModules;
}

/** Makes `base.sqfs`, `base.tar.sha256`, and `entries.json` with what lies where. */
export function baseStep(
  { spec, sourceDateEpoch, tools, toolContents }: ImageSteps,
  packages: ReadonlyMap<string, Result>,
  modules: Result,
): Step {
  const names = [...packages.keys()].sort();
  // The maker gets what the key holds, so that it cannot read what the key does not know.
  const { files, libraries, icuData, links, firmware } = spec;
  const declared = { files, libraries, icuData, links, ...(firmware === undefined ? {} : { firmware }) };
  const compression = spec.squashfs;
  const trees = names.map((name) => [`package ${name}`, treeOf(packages.get(name) as Result)]);
  return {
    name: `${spec.name}/base`,
    recipe: ['rootfs.ts', 'firmware.ts', 'root-tar.ts', 'squashfs.ts', 'tools.ts'],
    declaredIn,
    files: { ...Object.fromEntries(trees), 'kernel modules': treeOf(modules) },
    values: {
      ...{ ...declared, compression, sourceDateEpoch },
      ...{ mksquashfs: toolContents.mksquashfs, modinfo: toolContents.modinfo },
    },
    make: async (to) => {
      const unpacked = await Promise.all(names.map((name) => readUnpacked(name, packages.get(name) as Result)));
      const modulesFolder = join(modules.folder, 'tree');
      const { modules: paths } = await readModules(modules);
      const named = firmware === undefined ? [] : await namedFirmware(modulesFolder, paths, tools);
      const entries = await composeBase({ spec: declared, packages: unpacked, modulesFolder, namedFirmware: named });
      await packLayer('base', entries, { to, compression, sourceDateEpoch, tools });
      await writeFile(join(to, 'entries.json'), JSON.stringify(entries.map(withoutContent)));
    },
  };
}

function treeOf(result: Result): Artifact {
  return { path: result.folder, sha256: result.sha256 };
}

/** What is laid over it needs to know what is there, not what is in it. */
function withoutContent(entry: RootEntry): RootEntry {
  return entry.kind === 'file' ? { ...entry, content: new Uint8Array() } : entry;
}

export interface AgentInput {
  readonly sellClient: Artifact;
  /** The checksums of the sources in it. */
  readonly sources: Inputs;
  /** image/rootfs, and a flavour's own over it. */
  readonly overlays: readonly Artifact[];
  readonly kernelVersion: string;
  readonly base: Result;
}

/** Makes `agent.sqfs` and `agent.tar.sha256`. */
export function agentStep({ spec, sourceDateEpoch, tools, toolContents }: ImageSteps, input: AgentInput): Step {
  const { sellClient, overlays, kernelVersion } = input;
  const { name, version, suite, accounts, kernelCommandLine, debugShell = false } = spec;
  const compression = spec.squashfs;
  const base = input.base.file('entries.json');
  return {
    name: `${name}/agent`,
    recipe: ['rootfs.ts', 'root-tar.ts', 'squashfs.ts', 'tools.ts'],
    declaredIn,
    files: {
      ...{ 'sell client bundle': sellClient, 'paths of the base layer': base },
      ...Object.fromEntries(overlays.map((one, index) => [index === 0 ? 'image/rootfs' : "the flavour's rootfs", one])),
    },
    values: {
      ...{ name, version, suite, kernelVersion, compression, sourceDateEpoch },
      accounts: accounts.map((one) => JSON.stringify(one)),
      kernelCommandLine,
      debugShell: String(debugShell),
      mksquashfs: toolContents.mksquashfs,
    },
    origins: input.sources,
    make: async (to) => {
      const entries = await composeAgent({
        ...{ spec, kernelVersion, sourceDateEpoch },
        ...{ sellClient: sellClient.path, overlays: overlays.map(({ path }) => path) },
        base: JSON.parse(await readFile(base.path, 'utf8')) as RootEntry[],
      });
      await packLayer('agent', entries, { to, compression, sourceDateEpoch, tools });
    },
  };
}

interface LayerOptions {
  readonly to: string;
  readonly compression: SquashfsCompression;
  readonly sourceDateEpoch: number;
  readonly tools: Tools;
}

/** The tar is never on disk; its checksum tells a difference of contents from one of the packer. */
async function packLayer(
  name: 'base' | 'agent',
  entries: readonly RootEntry[],
  { to, compression, sourceDateEpoch, tools }: LayerOptions,
): Promise<void> {
  const hash = createHash('sha256');
  const chunks = rootTar(entries, sourceDateEpoch)[Symbol.asyncIterator]();
  const next = async () => {
    const one = await chunks.next();
    if (one.done !== true) hash.update(one.value as Uint8Array);
    return one;
  };
  const tar = Readable.from({ [Symbol.asyncIterator]: () => ({ next }) });
  await packSquashfs({ tar, compression, sourceDateEpoch, output: join(to, `${name}.sqfs`) }, tools);
  while ((await next()).done !== true); // mksquashfs need not read what follows the last file
  await writeFile(join(to, `${name}.tar.sha256`), `${hash.digest('hex')}\n`);
}
