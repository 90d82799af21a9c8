/**
 * The real build, killed with SIGKILL as each step begins and once more in its middle, begun again each time: in the end the
 * same components as a build that was left alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { buildImage } from '../../scripts/build.ts';
import type { BuildManifest } from '../../scripts/build-manifest.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';

/** Long enough to be inside a step that has tools running, short against the longest. */
const MIDDLE_MS = 1_500;

let folder: string;
let program: string;
beforeAll(async () => {
  // Inside the checkout, because the program looks for it above itself.
  folder = await mkdtemp(join(projectRoot, 'dist/killed-'));
  program = join(folder, 'build.mjs');
  await build({
    entryPoints: [join(projectRoot, 'test/matrix/build-image-program.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Kills it as soon as `choose` gives a time for a line, that much later. */
async function runUntil(
  output: string,
  choose: (line: string) => number | undefined,
): Promise<'killed' | number | null> {
  const child = spawn(process.execPath, [program, output], { stdio: ['ignore', 'pipe', 'inherit'] });
  let timer: NodeJS.Timeout | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const afterMs = choose(line);
    if (afterMs !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  return signal === 'SIGKILL' ? 'killed' : code;
}

it('ends with the same components, however often it was killed', async () => {
  const output = join(folder, 'output');
  const times = new Map<string, number>();
  let kills = 0;
  for (let round = 0; round < 60; round += 1) {
    const outcome = await runUntil(output, (told) => {
      const line = told.replace(/\d+/, 'some'); // so many packages left
      const count = times.get(line) ?? 0;
      if (line.startsWith('Packages fetched') || count >= 2) return undefined;
      times.set(line, count + 1);
      return count === 0 ? 0 : MIDDLE_MS;
    });
    if (outcome === 'killed') kills += 1;
    else {
      expect(outcome).toBe(0);
      break;
    }
  }
  expect(kills).toBeGreaterThan(12);
  const leftAlone = await buildImage({
    projectRoot,
    outputFolder: join(projectRoot, 'dist'),
    cacheFolder: cacheFolder(),
    mirrors: () => chooseMirrors({}),
    progress: () => undefined,
  });
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as BuildManifest;
  expect((await read(join(output, 'build-manifest.json'))).components).toEqual(
    (await read(leftAlone.manifest)).components,
  );
});
