/**
 * Builds the image again from what an ISO says of itself and this checkout's source, in a folder that shares nothing with
 * other builds but the package cache, and compares byte by byte.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../src/shared/errors.ts';
import { type BuildOptions, buildImage } from '../build.ts';
import { type ImageSource, readImageSource } from '../image-source.ts';
import { type ImageLock, readAnyLock } from '../lock-file.ts';
import type { Tools } from '../tools.ts';
import { type About, readAbout } from './about.ts';
import { differingKeys, differingParts, type PartDifference } from './compare-parts.ts';
import { type IsoPart, isoParts, withIso } from './iso-parts.ts';
import { type InnerDifference, lookInside } from './look-inside.ts';

export class VerifyBuildError extends CodedError<'ISO_TOOLS_FOREIGN'> {}

export interface VerifyOptions extends Pick<BuildOptions, 'projectRoot' | 'cacheFolder' | 'mirrors' | 'progress'> {
  readonly iso: string;
  /** Empty; gets the rebuild. */
  readonly folder: string;
  /** Run the build tools that the ISO's lock names though this checkout's lock names others. */
  readonly foreignTools: boolean;
}

export interface Verification {
  readonly about: About;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Of the ISO built here. */
  readonly builtIso: string;
  readonly parts: readonly IsoPart[];
  /** Empty: the same bytes. */
  readonly differences: readonly PartDifference[];
  readonly inside: InnerDifference | undefined;
  /** Files and npm packages of the source that this checkout has otherwise. */
  readonly sourceDifferences: readonly string[];
}

/** @throws IsoError, AboutError, VerifyBuildError, and all that buildImage throws */
export async function verifyBuild(options: VerifyOptions): Promise<Verification> {
  const { about, parts: given } = await describe(options.iso);
  const source = await sourceOf(about, options);
  if (!options.foreignTools) await refuseForeignTools(about.lock, source.checkoutLockPath);
  const output = join(options.folder, 'rebuilt');
  const { projectRoot, cacheFolder, mirrors, progress } = options;
  const built = await buildImage({
    ...{ projectRoot, cacheFolder, mirrors, progress },
    outputFolder: output,
    source: source.image,
  });
  const { about: aboutHere, parts: here } = await describe(built.iso);
  const differences = differingParts(given, here);
  const whole = given.at(-1);
  return {
    about,
    sha256: whole?.sha256 ?? '',
    sizeBytes: whole?.extent.sizeBytes ?? 0,
    builtIso: built.iso,
    parts: here,
    differences,
    inside: await innerDifference(options, built.iso, given, here, differences[0], built.tools),
    sourceDifferences: [
      ...differingKeys(about.source.files, aboutHere.source.files),
      ...differingKeys(about.source.npm, aboutHere.source.npm).map((name) => `npm package ${name}`),
    ],
  };
}

const describe = (path: string) =>
  withIso(path, async (iso) => ({ about: readAbout(iso), parts: await isoParts(iso) }));

/** Declaration and lock of the ISO; templates and overlays of this checkout. */
async function sourceOf(about: About, options: VerifyOptions) {
  const checkout = await readImageSource(options.projectRoot, about.version.flavour);
  await mkdir(options.folder, { recursive: true });
  const lockPath = join(options.folder, 'image.lock.json');
  await writeFile(lockPath, about.lockText);
  const image: ImageSource = { ...checkout, spec: about.spec, lockPath };
  return { image, checkoutLockPath: checkout.lockPath };
}

/** Whoever made the ISO wrote its lock too, and a build runs the tools that its lock names. @throws VerifyBuildError */
export async function refuseForeignTools(lock: ImageLock, ownLockPath: string): Promise<void> {
  const own = new Set((await readAnyLock(ownLockPath)).packages.map(({ sha256 }) => sha256));
  const foreign = lock.packages.filter(({ roles, sha256 }) => roles.includes('tools') && !own.has(sha256));
  if (foreign.length === 0) return;
  const named = foreign.map(({ name, version }) => `${name} ${version}`).join(', ');
  throw new VerifyBuildError(
    'ISO_TOOLS_FOREIGN',
    `the ISO's lock wants ${foreign.length} build tools that this checkout's lock does not name: ${named}`,
    {
      nextStep:
        'check out the source of that release; or, if you trust whoever gave you the ISO and the mirror to run programs ' +
        'here, add --foreign-tools',
    },
  );
}

async function innerDifference(
  { iso, folder }: VerifyOptions,
  builtIso: string,
  given: readonly IsoPart[],
  built: readonly IsoPart[],
  first: PartDifference | undefined,
  tools: Tools,
): Promise<InnerDifference | undefined> {
  const there = given.find(({ name }) => name === first?.name)?.extent;
  const here = built.find(({ name }) => name === first?.name)?.extent;
  if (first === undefined || there === undefined || here === undefined) return undefined;
  const pieces = { given: { iso, extent: there }, built: { iso: builtIso, extent: here } };
  return lookInside(first.name, pieces, join(folder, 'inside'), tools);
}
