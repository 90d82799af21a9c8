/** Puts a finished build where people look for it: complete files only, the ISO last. */
import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';
import type { ImageSource } from './image-source.ts';
import { ABOUT_FILES } from './medium-files.ts';
import type { PartSize } from './sizes.ts';

export class PublishError extends CodedError<'ISO_OVER_BUDGET' | 'NOT_BUILT'> {}

export interface PublishedImage {
  readonly iso: string;
  readonly referenceValues: string;
  /** CycloneDX. */
  readonly sbom: string;
  /** in-toto statement. */
  readonly provenance: string;
  readonly sizes: readonly PartSize[];
  readonly budgetBytes: number;
}

/** @throws PublishError ISO_OVER_BUDGET */
export async function publish(medium: string, outputFolder: string, source: ImageSource): Promise<PublishedImage> {
  const sizes = JSON.parse(await readFile(join(medium, 'sizes.json'), 'utf8')) as PartSize[];
  const isoBytes = sizes.find((one) => one.name === 'iso')?.bytes ?? 0;
  const budgetBytes = source.spec.budgets.isoBytes;
  if (isoBytes > budgetBytes) {
    throw new PublishError(
      'ISO_OVER_BUDGET',
      `the ISO of ${source.spec.name} has ${isoBytes} bytes; its budget is ${budgetBytes}`,
      {
        nextStep: `take something out of its declaration, or raise budgets.isoBytes there, and: npx cpushare image lock${source.words}`,
      },
    );
  }
  const iso = join(outputFolder, source.outputs.iso);
  const referenceValues = join(outputFolder, source.outputs.referenceValues);
  const sbom = join(outputFolder, source.outputs.sbom);
  const provenance = join(outputFolder, source.outputs.provenance);
  await mkdir(outputFolder, { recursive: true });
  await place(join(medium, ABOUT_FILES.sbom), sbom);
  await place(join(medium, 'provenance.json'), provenance);
  await place(join(medium, 'sizes.json'), join(outputFolder, source.outputs.sizes));
  await place(join(medium, 'reference-values.json'), referenceValues);
  await place(join(medium, 'image.iso'), iso);
  return { iso, referenceValues, sbom, provenance, sizes, budgetBytes };
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

async function place(from: string, to: string): Promise<void> {
  const partial = `${to}.part`;
  try {
    await copyFile(from, partial, constants.COPYFILE_FICLONE);
    await rename(partial, to);
  } finally {
    await rm(partial, { force: true });
  }
}
