/** Puts a finished build where people look for it: complete files only, checked against what was built, the ISO last. */
import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';
import { type BuiltParts, buildManifest } from './build-manifest.ts';
import { sha256OfFile } from './fetch.ts';
import type { ImageSource } from './image-source.ts';
import { type PartSize, partSizes } from './sizes.ts';
import type { Artifact } from './steps.ts';

export class PublishError extends CodedError<'ISO_OVER_BUDGET' | 'NOT_BUILT' | 'BUILD_DAMAGED'> {}

export interface PublishedImage {
  readonly iso: string;
  readonly referenceValues: string;
  /** CycloneDX. */
  readonly sbom: string;
  /** in-toto statement. */
  readonly provenance: string;
  readonly manifest: string;
  readonly sizes: readonly PartSize[];
  readonly budgetBytes: number;
}

/** @throws PublishError ISO_OVER_BUDGET, BUILD_DAMAGED */
export async function publish(parts: BuiltParts, outputFolder: string, source: ImageSource): Promise<PublishedImage> {
  const { spec, outputs } = source;
  const sizes = await partSizes(weighed(parts));
  const isoBytes = sizes.find((one) => one.name === 'iso')?.bytes ?? 0;
  const budgetBytes = spec.budgets.isoBytes;
  if (isoBytes > budgetBytes) {
    throw new PublishError(
      'ISO_OVER_BUDGET',
      `the ISO of ${spec.name} has ${isoBytes} bytes; its budget is ${budgetBytes}`,
      {
        nextStep: `take something out of its declaration, or raise budgets.isoBytes there, and: npx cpushare image lock${source.words}`,
      },
    );
  }
  const iso = join(outputFolder, outputs.iso);
  const referenceValues = join(outputFolder, outputs.referenceValues);
  const sbom = join(outputFolder, outputs.sbom);
  const provenance = join(outputFolder, outputs.provenance);
  const manifest = join(outputFolder, outputs.manifest);
  await mkdir(outputFolder, { recursive: true });
  await placeText(`${JSON.stringify(sizes, null, 2)}\n`, join(outputFolder, outputs.sizes));
  await placeText(`${JSON.stringify(buildManifest(parts, spec, sizes), null, 2)}\n`, manifest);
  await place(parts.sbom, sbom);
  await place(parts.provenance, provenance);
  await place(parts.referenceValues, referenceValues);
  await place(parts.iso, iso);
  return { iso, referenceValues, sbom, provenance, manifest, sizes, budgetBytes };
}

function weighed({ kernel, initrd, layers, esp, biosGrub, iso }: BuiltParts): Record<string, string> {
  const parts = { kernel, initrd, ...layers, esp, 'bios-grub': biosGrub, iso };
  return Object.fromEntries(Object.entries(parts).map(([name, { path }]) => [name, path]));
}

/** Of the image that lies in the output folder. @throws PublishError NOT_BUILT */
export async function readSizes(outputFolder: string, { outputs, spec, words }: ImageSource): Promise<PartSize[]> {
  const text = await readFile(join(outputFolder, outputs.sizes), 'utf8').catch((cause: unknown) => {
    throw new PublishError('NOT_BUILT', `there is no built ${spec.name} in ${outputFolder}`, {
      cause,
      nextStep: `npx cpushare image build${words}`,
    });
  });
  return JSON.parse(text) as PartSize[];
}

/** What is there already with the same content stays. */
async function place(from: Artifact, to: string): Promise<void> {
  if ((await sha256OfFile(to).catch(() => '')) === from.sha256) return;
  const partial = `${to}.part`;
  try {
    await copyFile(from.path, partial, constants.COPYFILE_FICLONE);
    if ((await sha256OfFile(partial)) !== from.sha256) await refuseDamaged(from);
    await rename(partial, to);
  } finally {
    await rm(partial, { force: true });
  }
}

/** It is not what the step left: taken away, so that the next build makes it anew. */
async function refuseDamaged({ path }: Artifact): Promise<never> {
  await rm(join(dirname(path), '../record.json'), { force: true });
  throw new PublishError('BUILD_DAMAGED', `${path} was changed after it was built`, {
    nextStep: 'run the same command again: it makes this part anew; if it returns, look after the disk or the memory',
  });
}

async function placeText(text: string, to: string): Promise<void> {
  const partial = `${to}.part`;
  try {
    await writeFile(partial, text);
    await rename(partial, to);
  } finally {
    await rm(partial, { force: true });
  }
}
