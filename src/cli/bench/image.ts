/**
 * How long a build takes with the packages cached: cold (no finished step), warm (nothing changed), and after a change of
 * the sell client; and what the image weighs.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseMirrors } from '../../../scripts/apt/mirrors.ts';
import { buildImage } from '../../../scripts/build.ts';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { createCleanup } from '../demo/cleanup.ts';
import { buildForDemo } from '../demo/image.ts';
import { benchFolder } from './bench-folder.ts';
import { type Emit, secondsSince } from './figure.ts';

export async function benchImage(emit: Emit): Promise<void> {
  await buildForDemo(() => undefined); // fills the package cache: downloads are not measured
  const cleanup = createCleanup();
  const outputFolder = await benchFolder(cleanup);
  const timed = async (name: string, change: { readonly sellClient?: string } = {}) => {
    const startMs = performance.now();
    const built = await buildImage({
      projectRoot,
      outputFolder,
      cacheFolder: cacheFolder(),
      mirrors: () => chooseMirrors({}),
      progress: () => undefined,
      ...change,
    });
    emit({ name, value: secondsSince(startMs), unit: 's' });
    return built;
  };
  try {
    const { sizes } = await timed('image.build.cold');
    await timed('image.build.warm');
    await timed('image.build.agent_change', { sellClient: await changedClient(outputFolder) });
    for (const { name, bytes } of sizes) {
      emit({ name: name === 'iso' ? 'iso.bytes' : `iso.part.${name}.bytes`, value: bytes, unit: 'bytes' });
    }
  } finally {
    await cleanup.run();
  }
}

/** The sell client with one line more. */
async function changedClient(folder: string): Promise<string> {
  const path = join(folder, 'changed-sell-client.ts');
  const main = join(projectRoot, 'src/sell-client/main.ts');
  await writeFile(path, `import ${JSON.stringify(main)};\nconsole.log('changed');\n`);
  return path;
}
