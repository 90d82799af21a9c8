/**
 * The recipe: from image.json, its lock and this checkout to the ISO and its reference values. Each step reads contents
 * and leaves its result in a folder of its own; a step whose inputs are unchanged is not done again. Nothing is resolved
 * here and nothing needs root: same lock, same checkout, same bytes.
 */
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lockFolder, type Release } from '../src/shared/folder-lock-node.ts';
import type { Mirrors } from './apt/mirrors.ts';
import { requireReadable } from './compression.ts';
import { downloadProgress } from './download-progress.ts';
import { fetchPackages, refuseFullDisk } from './fetch.ts';
import { type ImageSource, lockOf, readImageSource } from './image-source.ts';
import type { ImageSpec } from './image-spec.ts';
import { type ImageLock, type LockedPackage, packagesFor } from './lock-file.ts';
import { packMedium } from './medium.ts';
import { eachTwice, type GetDebs, toolsStep, unpackStep } from './packages.ts';
import { readOwnPackage } from './project.ts';
import type { Origin } from './proof-steps.ts';
import { type PublishedImage, publish } from './publish.ts';
import { agentStep, baseStep, type ImageSteps, modulesStep, readModules } from './root-layers.ts';
import { type Bundle, bundleSellClient } from './sell-client-bundle.ts';
import { readSource } from './source-files.ts';
import { openSteps, type Result, type Step, type Steps, sourceFile } from './steps.ts';
import { pruneSteps } from './steps-prune.ts';
import type { ToolContents } from './tool-contents.ts';
import { lockedTools, type Tools } from './tools.ts';
import { sha256OfTree } from './tree-hash.ts';

export interface BuildOptions {
  /** The checkout: image/, src/. */
  readonly projectRoot: string;
  /** Gets the results, and the finished steps of all images that are built here below `build/`. */
  readonly outputFolder: string;
  /** Downloads, by content. */
  readonly cacheFolder: string;
  /** Asked for only when something has to be downloaded. */
  readonly mirrors: () => Promise<Mirrors>;
  readonly progress: (line: string) => void;
  /** image/flavours/FLAVOUR.json; the default image when absent. */
  readonly flavour?: string | undefined;
  /** What to build, when that is not the checkout's own declaration and lock. */
  readonly source?: ImageSource;
  /** The sell client's main file; src/sell-client/main.ts when absent. */
  readonly sellClient?: string;
}

/** The published files, the locked tools that made them, and what was done. */
export interface BuiltImage extends PublishedImage {
  readonly tools: Tools;
  /** In the order in which they ended. */
  readonly steps: readonly Result[];
}

/** @throws ImageSpecError, LockError, FetchError, DebError, ToolError … each with its next step */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const source = options.source ?? (await readImageSource(options.projectRoot, options.flavour));
  const lock = await lockOf(source);
  const buildFolder = join(options.outputFolder, 'build');
  const release = await takeTurn(buildFolder, options.progress);
  try {
    return await buildFrom({ options, source, spec: source.spec, lock, buildFolder });
  } catch (error) {
    refuseFullDisk(error);
    throw error;
  } finally {
    await release();
  }
}

/** Two builds into one folder would take each other's steps away: the second waits. */
async function takeTurn(buildFolder: string, progress: (line: string) => void): Promise<Release> {
  await mkdir(buildFolder, { recursive: true }).catch(refuseFullDisk);
  const folder = await realpath(buildFolder);
  for (let told = false; ; told = true) {
    const release = await lockFolder('build', folder);
    if (release !== null) return release;
    if (!told) progress('Another build is writing here; waiting for it to end');
    await delay(500);
  }
}

interface Job {
  readonly options: BuildOptions;
  readonly source: ImageSource;
  /** The source's. */
  readonly spec: ImageSpec;
  readonly lock: ImageLock;
  readonly buildFolder: string;
}

async function buildFrom(job: Job): Promise<BuiltImage> {
  const { source, spec, lock, options } = job;
  const done: Result[] = [];
  const steps = await recordedSteps(job, done);
  const { packages, unpackedTools, ...tooling } = await unpackAll(job, steps);
  const shared: ImageSteps = { image: source.image, spec, sourceDateEpoch: lock.sourceDateEpoch, ...tooling };
  const kernelPackage = packagesFor(lock, 'kernel')[0]?.name ?? '';
  const modules = await steps.run(modulesStep(shared, packages.get(kernelPackage) as Result));
  const kernelTree = join(packages.get(kernelPackage)?.folder ?? '', 'tree');
  await requireReadable(spec, join(kernelTree, `boot/config-${(await readModules(modules)).version}`));
  const inRoot = new Map(packagesFor(lock, 'root').map((one) => [one.name, packages.get(one.name) as Result]));
  const base = await steps.run(baseStep(shared, inRoot, modules));
  const bundle = await bundleOf(job);
  const agent = await steps.run(await agentOf(job, shared, { bundle, base, modules }));
  const layers = { base: base.file('base.sqfs'), agent: agent.file('agent.sqfs') };
  const { sources, ...sellClient } = bundle;
  const origin: Origin = {
    ...{ source, lock, sellClient, packages, tools: unpackedTools },
    lockFile: await sourceFile(source.lockPath),
    made: await readSource(options.projectRoot, Object.keys(sources), source),
    projectVersion: (await readOwnPackage()).version,
  };
  const medium = await packMedium(shared, { packages, kernelPackage, modules, layers, origin }, steps);
  const tars = { base: await textOf(base, 'base.tar.sha256'), agent: await textOf(agent, 'agent.tar.sha256') };
  const published = await publish({ ...medium, layers, tars, lock, sellClient }, options.outputFolder, source);
  await pruneSteps(job.buildFolder);
  return { ...published, tools: tooling.tools, steps: done };
}

async function recordedSteps({ buildFolder, options }: Job, done: Result[]): Promise<Steps> {
  const words = (name: string) => WORDS[name.split('/').at(-1) ?? ''] ?? name;
  const steps = await openSteps(buildFolder, (name) => {
    if (!name.startsWith('package/')) options.progress(words(name));
  });
  const record = (result: Result) => {
    done.push(result);
    return result;
  };
  return { find: steps.find, run: async (step) => record(await steps.run(step)) };
}

/** What a person reads while a step runs. */
const WORDS: Readonly<Record<string, string>> = {
  tools: 'Unpacking the build tools',
  modules: 'Choosing kernel modules',
  base: 'Packing programs and drivers (the longest step)',
  agent: 'Packing the sell client',
  initrd: 'Packing the initrd',
  'grub-config': 'Writing the configuration of GRUB',
  'bios-grub': 'Making GRUB for legacy BIOS',
  esp: 'Making the EFI system partition',
  about: 'Writing the bill of materials',
  iso: 'Making the ISO',
  'reference-values': 'Computing the reference values',
  hardware: 'Listing the hardware it drives',
  'size-tree': 'Weighing it',
  provenance: 'Writing the provenance',
};

/** The tools, and each package of kernel, boot and root by name. Downloads only what is not unpacked yet. */
async function unpackAll({ lock, options, buildFolder }: Job, steps: Steps) {
  let debs: Promise<ReadonlyMap<string, string>> = Promise.resolve(new Map());
  const getDebs: GetDebs = () => debs;
  const ofTools = packagesFor(lock, 'tools');
  const others = lock.packages.filter((one) => one.roles.some((role) => role !== 'tools'));
  const unpackTools = toolsStep(ofTools, getDebs);
  const toolsFound = await steps.find(unpackTools);
  // Where the tools will be is known before they are there.
  const unpack = (one: LockedPackage, tools: Tools) => unpackStep(one, getDebs, tools);
  const absent = lockedTools(buildFolder, lock.sourceDateEpoch);
  const missing: LockedPackage[] = [];
  for (const one of others) if ((await steps.find(unpack(one, absent))) === undefined) missing.push(one);
  const needed = new Set([...(toolsFound === undefined ? ofTools : []), ...missing]);
  if (needed.size > 0) debs = fetchWith(options, [...needed]);
  await debs;

  const unpackedTools = await steps.run(unpackTools);
  const tools = lockedTools(join(unpackedTools.folder, 'root'), lock.sourceDateEpoch);
  const toolContents = JSON.parse(await textOf(unpackedTools, 'contents.json')) as ToolContents;
  if (missing.length > 0) options.progress(`Unpacking ${missing.length} packages of the image`);
  const unpacked = new Map<string, Result>();
  await eachTwice(others, async (one) => {
    unpacked.set(one.name, await steps.run(unpack(one, tools)));
  });
  const packages = new Map(others.map(({ name }) => [name, unpacked.get(name) as Result]));
  return { tools, toolContents, unpackedTools, packages };
}

function fetchWith(options: BuildOptions, packages: readonly LockedPackage[]) {
  const progress = downloadProgress(options.progress);
  return fetchPackages(packages, { cache: options.cacheFolder, mirrors: options.mirrors, progress });
}

/** Made each time, as it takes a moment; its layer only when the bundle or another input differs. */
function bundleOf({ options, spec, buildFolder }: Job): Promise<Bundle> {
  return bundleSellClient({
    entry: options.sellClient ?? join(options.projectRoot, 'src/sell-client/main.ts'),
    projectRoot: options.projectRoot,
    output: join(buildFolder, spec.name, 'sell-client.js'),
  });
}

interface AgentParts {
  readonly bundle: Bundle;
  readonly base: Result;
  readonly modules: Result;
}

async function agentOf({ source }: Job, shared: ImageSteps, { bundle, base, modules }: AgentParts): Promise<Step> {
  const { sources, path, sha256 } = bundle;
  const overlays = await Promise.all(
    source.overlays.map(async (folder) => ({ path: folder, sha256: await sha256OfTree(folder) })),
  );
  const kernelVersion = (await readModules(modules)).version;
  return agentStep(shared, { sellClient: { path, sha256 }, sources, overlays, kernelVersion, base });
}

async function textOf(result: Result, name: string): Promise<string> {
  return (await readFile(join(result.folder, name), 'utf8')).trimEnd();
}
