/**
 * The real build from nothing, killed with SIGKILL as each of its steps begins and once more within it, begun again each time:
 * in the end the same components as a build that was left alone, and nothing half-made under a name that counts.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BuildManifest } from '../../scripts/build-manifest.ts';
import { projectRoot } from '../../scripts/project.ts';
import { bundleProgram, countResults } from '../../scripts/testing/killable.ts';
import type { Moment, Told } from './build-image-program.ts';

/** Each step of the recipe that tells that it begins, from `tools` to `size-tree`; all packages tell once. */
const STEPS_TOLD = 15;

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(projectRoot, 'dist/killed-'));
  program = await bundleProgram('test/matrix/build-image-program.ts', folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }), 120_000);

async function run(output: string, moments: readonly Moment[]) {
  const args = [program, output, JSON.stringify(moments)];
  const { stdout, stderr, exitCode, signal } = await execa(process.execPath, args, { reject: false, stdin: 'ignore' });
  if (exitCode !== 0 && signal !== 'SIGKILL') throw new Error(`the build failed: ${stderr}`);
  const told = stdout.split('\n').map((line) => JSON.parse(line) as Told);
  return { lines: told.filter((one) => 'line' in one), killedAt: told.find((one) => 'killedAt' in one)?.killedAt };
}

/** The beginning and a third of all that it does, as the next run may be faster; the package cache is only read. */
function momentsOf(lines: readonly { readonly line: string; readonly atMs: number }[], endMs: number): Moment[] {
  return lines.flatMap(({ line, atMs }, index) => {
    const withinMs = ((lines[index + 1]?.atMs ?? endMs) - atMs) / 3;
    return line.startsWith('Packages fetched') ? [] : [0, Math.max(1, withinMs)].map((afterMs) => ({ line, afterMs }));
  });
}

it('ends with the same components, however often it was killed', async () => {
  const [leftAlone, killed] = [join(folder, 'left-alone'), join(folder, 'killed')];
  const { lines } = await run(leftAlone, []);
  const moments = momentsOf(lines, lines.at(-1)?.atMs ?? 0);
  const beginnings = moments.filter(({ afterMs }) => afterMs === 0);
  expect(beginnings.length).toBeGreaterThanOrEqual(STEPS_TOLD);

  let toCome = moments;
  for (;;) {
    const { killedAt } = await run(killed, toCome);
    if (killedAt === undefined) break;
    toCome = toCome.filter(({ line, afterMs }) => line !== killedAt.line || afterMs !== killedAt.afterMs);
    // Not those of all packages each time: a gigabyte.
    const { broken } = await countResults(join(killed, 'build/cpushare-seller'));
    expect(broken, JSON.stringify(killedAt)).toEqual([]);
  }
  expect(toCome.filter(({ afterMs }) => afterMs === 0)).toEqual([]);
  // A step that takes milliseconds may be over before.
  expect(toCome.length).toBeLessThan(beginnings.length / 2);

  const read = async (output: string) =>
    JSON.parse(await readFile(join(output, 'build-manifest.json'), 'utf8')) as BuildManifest;
  expect((await read(killed)).components).toEqual((await read(leftAlone)).components);
  const [results, expected] = await Promise.all([killed, leftAlone].map((one) => countResults(join(one, 'build'))));
  expect(results).toEqual(expected);
}, 2_400_000);
