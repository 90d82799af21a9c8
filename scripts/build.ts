/**
 * The recipe: from image.json, its lock and this checkout to the ISO and its reference values. Each step takes paths and
 * leaves its result in a folder of its own; a step whose inputs are unchanged is not done again. Nothing is resolved here
 * and nothing needs root: same lock, same checkout, same bytes.
 */
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lockFolder, type Release } from '../src/shared/folder-lock-node.ts';
import type { Mirrors } from './apt/mirrors.ts';
import { downloadProgress } from './download-progress.ts';
import { fetchPackages, refuseFullDisk, sha256OfFile } from './fetch.ts';
import { namedFirmware } from './firmware.ts';
import { type ImageSource, lockOf, readImageSource } from './image-source.ts';
import type { ImageSpec } from './image-spec.ts';
import { type KernelModules, stageKernelModules } from './kernel-modules.ts';
import { type ImageLock, packagesFor } from './lock-file.ts';
import { packMedium } from './medium.ts';
import { type Debs, packageTrees, readUnpacked, unpackPackages, unpackTools } from './packages.ts';
import { type PublishedImage, publish } from './publish.ts';
import type { RootEntry } from './root-entry.ts';
import { rootTar } from './root-tar.ts';
import { composeAgent, composeBase } from './rootfs.ts';
import { bundleSellClient } from './sell-client-bundle.ts';
import { readSource } from './source-files.ts';
import { packSquashfs } from './squashfs.ts';
import { openSteps, type Steps, treeSha256 } from './steps.ts';
import { lockedTools, type Tools } from './tools.ts';

export interface BuildOptions {
  /** The checkout: image/, src/. */
  readonly projectRoot: string;
  /** Gets the results, and the finished steps below `build/`. */
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

/** The published files, and the locked tools that made them. */
export interface BuiltImage extends PublishedImage {
  readonly tools: Tools;
}

/** @throws ImageSpecError, LockError, FetchError, DebError, ToolError … each with its next step */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const source = options.source ?? (await readImageSource(options.projectRoot, options.flavour));
  const lock = await lockOf(source);
  const release = await takeTurn(options);
  try {
    const debs = await fetchPackages(lock.packages, {
      cache: options.cacheFolder,
      mirrors: options.mirrors,
      progress: downloadProgress(options.progress),
    });
    return await buildFrom({ options, source, spec: source.spec, lock, debs });
  } catch (error) {
    refuseFullDisk(error);
    throw error;
  } finally {
    await release();
  }
}

/** Two builds into one folder would take each other's steps away: the second waits. */
async function takeTurn({ outputFolder, progress }: BuildOptions): Promise<Release> {
  await mkdir(outputFolder, { recursive: true }).catch(refuseFullDisk);
  const folder = await realpath(outputFolder);
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
  readonly debs: Debs;
}

async function buildFrom(job: Job): Promise<BuiltImage> {
  const { options, source, spec, lock, debs } = job;
  const { image, lockPath, outputs } = source;
  const steps = await openSteps(join(options.outputFolder, outputs.build), (name) =>
    options.progress(WORDS[name] ?? name),
  );
  const toolsFolder = await steps.run('tools', packagesFor(lock, 'tools'), (to) => unpackTools(lock, debs, to));
  const tools = lockedTools(toolsFolder, lock.sourceDateEpoch);
  const packages = await steps.run('packages', lock.packages, (to) => unpackPackages(lock, debs, to, tools));
  const modules = await stageModules(job, steps, packages, tools);
  const base = await packBase(job, steps, packages, modules, tools);
  const agent = await packAgent(job, steps, base.entries, modules.version, tools);
  const layers = { base: base.path, agent: agent.path };
  const boot = await treeSha256(join(image, 'boot'));
  const made = await readSource(options.projectRoot, agent.sellClient.files, source);
  const treeOf = packageTrees(lock, packages, toolsFolder);
  const about = { source, made, sellClient: agent.sellClient.path, treeOf };
  const medium = await steps.run(
    'medium',
    [lock, spec, base.key, agent.key, boot, await sha256OfFile(lockPath), made],
    (to) => packMedium({ image, spec, lock, lockPath, packages, modules, layers, about, output: to }, tools),
  );
  return { ...(await publish(medium, options.outputFolder, source)), tools };
}

/** What a person reads while a step runs. */
const WORDS: Readonly<Record<string, string>> = {
  tools: 'Unpacking the build tools',
  packages: 'Unpacking the packages of the image',
  modules: 'Choosing kernel modules',
  base: 'Packing programs and drivers (the longest step)',
  agent: 'Packing the sell client',
  medium: 'Packing initrd, boot loaders and ISO',
};

export interface StagedModules extends KernelModules {
  /** Has usr/lib/modules/VERSION below it. */
  readonly tree: string;
}

async function stageModules(job: Job, steps: Steps, packages: string, tools: Tools): Promise<StagedModules> {
  const { spec, lock } = job;
  const wanted = [...spec.kernelModules, ...spec.initrdModules];
  const kernelFolder = join(packages, packagesFor(lock, 'kernel')[0]?.name ?? '');
  const folder = await steps.run('modules', [lock.packages, wanted], async (to) => {
    const staged = await stageKernelModules({ kernelFolder, wanted, output: join(to, 'tree') }, tools);
    await writeFile(join(to, 'modules.json'), JSON.stringify(staged));
  });
  const staged = JSON.parse(await readFile(join(folder, 'modules.json'), 'utf8')) as KernelModules;
  return { ...staged, tree: join(folder, 'tree') };
}

async function packBase(job: Job, steps: Steps, packages: string, modules: StagedModules, tools: Tools) {
  const { files, libraries, icuData, links, squashfs, firmware } = job.spec;
  const key = [job.lock, files, libraries, icuData, links, squashfs, firmware, job.spec.kernelModules];
  const folder = await steps.run('base', key, async (to) => {
    const unpacked = await readUnpacked(packages, packagesFor(job.lock, 'root'));
    const named = firmware === undefined ? [] : await namedFirmware(modules.tree, modules.modules, tools);
    const input = { spec: job.spec, packages: unpacked, modulesFolder: modules.tree, namedFirmware: named };
    const entries = await composeBase(input);
    await packLayer(job, entries, join(to, 'base.sqfs'), tools);
    await writeFile(join(to, 'entries.json'), JSON.stringify(entries.map(withoutContent)));
  });
  const entries = JSON.parse(await readFile(join(folder, 'entries.json'), 'utf8')) as RootEntry[];
  return { path: join(folder, 'base.sqfs'), entries, key };
}

/** What is laid over it needs to know what is there, not what is in it. */
function withoutContent(entry: RootEntry): RootEntry {
  return entry.kind === 'file' ? { ...entry, content: new Uint8Array() } : entry;
}

/** The bundle is made each time, as it takes a moment; the squashfs only when the bundle or another input differs. */
async function packAgent(job: Job, steps: Steps, base: readonly RootEntry[], kernelVersion: string, tools: Tools) {
  const { options, source, spec, lock } = job;
  const { overlays, outputs } = source;
  const bundleFolder = join(options.outputFolder, outputs.build, 'bundle');
  await mkdir(bundleFolder, { recursive: true });
  const sellClient = await bundleSellClient({
    entry: options.sellClient ?? join(options.projectRoot, 'src/sell-client/main.ts'),
    projectRoot: options.projectRoot,
    output: join(bundleFolder, 'sell-client.js'),
  });
  const key = [lock, spec, await sha256OfFile(sellClient.path), await Promise.all(overlays.map(treeSha256)), base];
  const folder = await steps.run('agent', key, async (to) => {
    const { sourceDateEpoch } = lock;
    const bundle = sellClient.path;
    const entries = await composeAgent({ spec, kernelVersion, sellClient: bundle, overlays, sourceDateEpoch, base });
    await packLayer(job, entries, join(to, 'agent.sqfs'), tools);
  });
  return { path: join(folder, 'agent.sqfs'), key, sellClient };
}

async function packLayer({ spec, lock }: Job, entries: readonly RootEntry[], output: string, tools: Tools) {
  const { sourceDateEpoch } = lock;
  const tar = rootTar(entries, sourceDateEpoch);
  await packSquashfs({ tar, compression: spec.squashfs.compression, sourceDateEpoch, output }, tools);
}
