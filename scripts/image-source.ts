/** What one image is built from and where its results go: the default's files, or a flavour's beside them. */
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlavourError, mergeFlavour, parseFlavour } from './flavour.ts';
import { type ImageSpec, readImageSpec } from './image-spec.ts';
import { type ImageLock, readLock } from './lock-file.ts';
import { REPORTS } from './report-names.ts';

export interface ImageSource {
  /** image/ of the checkout. */
  readonly image: string;
  readonly flavour: string | undefined;
  /** Merged with the flavour's. */
  readonly spec: ImageSpec;
  readonly lockPath: string;
  /** Folders laid over the live root, the later over the earlier. */
  readonly overlays: readonly string[];
  /** Names in the output folder. */
  readonly outputs: {
    readonly iso: string;
    readonly referenceValues: string;
    readonly sizes: string;
    readonly sizeTree: string;
    readonly hardware: string;
    readonly hardwarePage: string;
    readonly sbom: string;
    readonly provenance: string;
    /** build-manifest.ts */
    readonly manifest: string;
  };
  /** ` --flavour NAME`, to end a command that is told to a person; empty for the default. */
  readonly words: string;
}

/** @throws ImageSpecError, FlavourError */
export async function readImageSource(projectRoot: string, flavour?: string): Promise<ImageSource> {
  const image = join(projectRoot, 'image');
  const spec = await readImageSpec(join(image, 'image.json'));
  const overlays = [join(image, 'rootfs')];
  if (flavour === undefined) {
    const outputs = {
      iso: `${spec.name}.iso`,
      referenceValues: 'reference-values.json',
      sizes: 'sizes.json',
      ...REPORTS,
      ...proofs(spec),
      manifest: 'build-manifest.json',
    };
    return { image, flavour, spec, lockPath: join(image, 'image.lock.json'), overlays, outputs, words: '' };
  }
  const merged = mergeFlavour(spec, parseFlavour(await readFlavourText(image, flavour), flavour));
  const own = join(image, 'flavours', flavour, 'rootfs');
  return {
    image,
    flavour,
    spec: merged,
    lockPath: join(image, 'flavours', `${flavour}.lock.json`),
    overlays: (await exists(own)) ? [...overlays, own] : overlays,
    outputs: {
      iso: `${merged.name}.iso`,
      referenceValues: `${merged.name}.reference-values.json`,
      sizes: `${merged.name}.sizes.json`,
      sizeTree: `${merged.name}.${REPORTS.sizeTree}`,
      hardware: `${merged.name}.${REPORTS.hardware}`,
      hardwarePage: `${merged.name}.${REPORTS.hardwarePage}`,
      ...proofs(merged),
      manifest: `${merged.name}.build-manifest.json`,
    },
    words: ` --flavour ${flavour}`,
  };
}

const proofs = ({ name }: ImageSpec) => ({ sbom: `${name}.cdx.json`, provenance: `${name}.provenance.json` });

/** @throws LockError telling the command that makes this image's lock */
export function lockOf({ lockPath, spec, words }: ImageSource): Promise<ImageLock> {
  return readLock(lockPath, spec, `npx cpushare image lock${words}`);
}

/** Sorted. */
export async function listFlavours(projectRoot: string): Promise<string[]> {
  const names = await readdir(join(projectRoot, 'image/flavours')).catch(() => []);
  return names.flatMap((name) => /^([a-z0-9]+)\.json$/.exec(name)?.[1] ?? []).sort();
}

async function readFlavourText(image: string, flavour: string): Promise<string> {
  const known = await listFlavours(join(image, '..'));
  if (!known.includes(flavour)) {
    throw new FlavourError('FLAVOUR_UNKNOWN', `there is no flavour named ${flavour}`, {
      nextStep: known.length === 0 ? 'leave --flavour out' : `take one of: ${known.join(', ')}; or leave --flavour out`,
    });
  }
  const path = join(image, 'flavours', `${flavour}.json`);
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FlavourError('FLAVOUR_UNREADABLE', `cannot read ${path}`, { cause });
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
