/** Puts a finished build where people look for it: complete files only, checked against what was built, the ISO last. */
import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';
import { type BuiltParts, buildManifest } from './build-manifest.ts';
import { sha256OfFile } from './fetch.ts';
import type { ImageSource } from './image-source.ts';
import { type ReportName, reportNames } from './report-names.ts';
import { requireBudgets } from './size-tree/budgets.ts';
import type { SizeTree } from './size-tree/size-tree.ts';
import { type PartSize, partSizes } from './sizes.ts';
import type { Artifact } from './steps.ts';

export class PublishError extends CodedError<'NOT_BUILT' | 'BUILD_DAMAGED'> {}

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

/** @throws BudgetError, PublishError BUILD_DAMAGED */
export async function publish(parts: BuiltParts, outputFolder: string, source: ImageSource): Promise<PublishedImage> {
  const { spec, outputs } = source;
  const sizes = await partSizes(weighed(parts));
  const budgetBytes = spec.budgets.isoBytes;
  const tree = JSON.parse(await readFile(parts.reports.sizeTree.path, 'utf8')) as SizeTree;
  requireBudgets(tree, await readSizeTree(outputFolder, source).catch(() => null), spec.budgets, source.words);
  const iso = join(outputFolder, outputs.iso);
  const referenceValues = join(outputFolder, outputs.referenceValues);
  const sbom = join(outputFolder, outputs.sbom);
  const provenance = join(outputFolder, outputs.provenance);
  const manifest = join(outputFolder, outputs.manifest);
  await mkdir(outputFolder, { recursive: true });
  await placeText(`${JSON.stringify(sizes, null, 2)}\n`, join(outputFolder, outputs.sizes));
  await placeText(`${JSON.stringify(buildManifest(parts, spec, sizes), null, 2)}\n`, manifest);
  for (const name of reportNames) await place(parts.reports[name], join(outputFolder, outputs[name]));
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
export async function readSizeTree(outputFolder: string, source: ImageSource): Promise<SizeTree> {
  return JSON.parse(await readPublished(outputFolder, source, 'sizeTree')) as SizeTree;
}

/** @throws PublishError NOT_BUILT */
export async function readPublished(
  outputFolder: string,
  { outputs, spec, words }: ImageSource,
  name: ReportName,
): Promise<string> {
  return readFile(join(outputFolder, outputs[name]), 'utf8').catch((cause: unknown) => {
    throw new PublishError('NOT_BUILT', `there is no built ${spec.name} in ${outputFolder}`, {
      cause,
      nextStep: `npx cpushare image build${words}`,
    });
  });
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
