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
import { type ImageSpec, readImageSpec } from './image-spec.ts';
import { type KernelModules, stageKernelModules } from './kernel-modules.ts';
import { type ImageLock, packagesFor, readLock } from './lock-file.ts';
import { packMedium } from './medium.ts';
import { type Debs, readUnpacked, unpackPackages, unpackTools } from './packages.ts';
import { type PublishedImage, publish } from './publish.ts';
import { rootTar } from './root-tar.ts';
import { composeRootfs } from './rootfs.ts';
import { bundleSellClient } from './sell-client-bundle.ts';
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
  /** The sell client's main file; src/sell-client/main.ts when absent. */
  readonly sellClient?: string;
}

/** The published files, and the locked tools that made them. */
export interface BuiltImage extends PublishedImage {
  readonly tools: Tools;
}

/** @throws ImageSpecError, LockError, FetchError, DebError, ToolError … each with its next step */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const image = join(options.projectRoot, 'image');
  const spec = await readImageSpec(join(image, 'image.json'));
  const lock = await readLock(join(image, 'image.lock.json'), spec);
  const release = await takeTurn(options);
  try {
    const debs = await fetchPackages(lock.packages, {
      cache: options.cacheFolder,
      mirrors: options.mirrors,
      progress: downloadProgress(options.progress),
    });
    return await buildFrom({ options, image, spec, lock, debs });
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
  /** The folder image/ of the checkout. */
  readonly image: string;
  readonly spec: ImageSpec;
  readonly lock: ImageLock;
  readonly debs: Debs;
}

async function buildFrom(job: Job): Promise<BuiltImage> {
  const { options, image, spec, lock, debs } = job;
  const steps = await openSteps(join(options.outputFolder, 'build'), (name) => options.progress(WORDS[name] ?? name));
  const toolsFolder = await steps.run('tools', packagesFor(lock, 'tools'), (to) => unpackTools(lock, debs, to));
  const tools = lockedTools(toolsFolder, lock.sourceDateEpoch);
  const packages = await steps.run('packages', lock.packages, (to) => unpackPackages(lock, debs, to, tools));
  const modules = await stageModules(job, steps, packages, tools);
  const squashfs = await packRoot(job, steps, packages, modules, tools);
  const medium = await steps.run('medium', [lock, spec, squashfs.key, await treeSha256(image)], (to) =>
    packMedium({ image, spec, lock, packages, modules, rootSquashfs: squashfs.path, output: to }, tools),
  );
  return { ...(await publish(medium, options.outputFolder, spec)), tools };
}

/** What a person reads while a step runs. */
const WORDS: Readonly<Record<string, string>> = {
  tools: 'Unpacking the build tools',
  packages: 'Unpacking the packages of the image',
  modules: 'Choosing kernel modules',
  root: 'Packing the root file system (the longest step)',
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

/** The bundle is made each time, as it takes a moment; the squashfs only when the bundle or another input differs. */
async function packRoot(job: Job, steps: Steps, packages: string, modules: StagedModules, tools: Tools) {
  const { options, image, spec, lock } = job;
  const overlay = join(image, 'rootfs');
  const bundleFolder = join(options.outputFolder, 'build/bundle');
  await mkdir(bundleFolder, { recursive: true });
  const sellClient = await bundleSellClient({
    entry: options.sellClient ?? join(options.projectRoot, 'src/sell-client/main.ts'),
    projectRoot: options.projectRoot,
    output: join(bundleFolder, 'sell-client.js'),
  });
  const key = [lock, spec, await sha256OfFile(sellClient), await treeSha256(overlay)];
  const folder = await steps.run('root', key, async (to) => {
    const entries = await composeRootfs({
      spec,
      packages: await readUnpacked(packages, packagesFor(lock, 'root')),
      modulesFolder: modules.tree,
      kernelVersion: modules.version,
      sellClient,
      overlay,
      sourceDateEpoch: lock.sourceDateEpoch,
    });
    const tar = rootTar(entries, lock.sourceDateEpoch);
    const { compression } = spec.squashfs;
    const output = join(to, 'root.sqfs');
    await packSquashfs({ tar, compression, sourceDateEpoch: lock.sourceDateEpoch, output }, tools);
  });
  return { path: join(folder, 'root.sqfs'), key };
}
