/** How long a build takes with the packages cached, cold (no finished step) and warm, and what the image weighs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseMirrors } from '../../../scripts/apt/mirrors.ts';
import { buildImage } from '../../../scripts/build.ts';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { buildForDemo } from '../demo/image.ts';
import { type Emit, secondsSince } from './figure.ts';

export async function benchImage(emit: Emit): Promise<void> {
  await buildForDemo(() => undefined); // fills the package cache: downloads are not measured
  const outputFolder = await mkdtemp(join(tmpdir(), 'cpushare-bench-'));
  const build = () =>
    buildImage({
      projectRoot,
      outputFolder,
      cacheFolder: cacheFolder(),
      mirrors: () => chooseMirrors({}),
      progress: () => undefined,
    });
  try {
    const coldStartMs = performance.now();
    const { sizes } = await build();
    emit({ name: 'image.build.cold', value: secondsSince(coldStartMs), unit: 's' });
    const warmStartMs = performance.now();
    await build();
    emit({ name: 'image.build.warm', value: secondsSince(warmStartMs), unit: 's' });
    for (const { name, bytes } of sizes) {
      emit({ name: name === 'iso' ? 'iso.bytes' : `iso.part.${name}.bytes`, value: bytes, unit: 'bytes' });
    }
  } finally {
    await rm(outputFolder, { recursive: true, force: true });
  }
}
