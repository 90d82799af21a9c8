/** The image for this run: built from its lock, or reused where nothing changed. */
import { join } from 'node:path';
import { chooseMirrors } from '../../../scripts/apt/mirrors.ts';
import { buildImage } from '../../../scripts/build.ts';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { projectRoot } from '../../../scripts/project.ts';
import type { Tools } from '../../../scripts/tools.ts';

export interface DemoImage {
  readonly iso: string;
  readonly referenceValues: string;
  /** The locked build tools. */
  readonly tools: Tools;
  /** A line for the person watching. */
  readonly summary: string;
}

/** @param mirrors base URLs to try in turn; the host's own apt mirror when absent */
export async function buildForDemo(onDetail: (text: string) => void, mirrors?: readonly string[]): Promise<DemoImage> {
  const built = await buildImage({
    projectRoot,
    outputFolder: join(projectRoot, 'dist'),
    cacheFolder: cacheFolder(),
    mirrors: () => chooseMirrors(mirrors === undefined ? {} : { mirrors }),
    progress: onDetail,
  });
  const isoBytes = built.sizes.find(({ name }) => name === 'iso')?.bytes ?? 0;
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  return {
    iso: built.iso,
    referenceValues: built.referenceValues,
    tools: built.tools,
    summary: `dist/cpushare-seller.iso, ${mebibytes(isoBytes)} MiB (at most ${mebibytes(built.budgetBytes)})`,
  };
}
