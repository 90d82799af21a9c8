/** kill -9 at many moments of a running chain of steps: whatever then has a name that counts is whole. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from './project.ts';
import { bundleProgram, countResults } from './testing/killable.ts';
import { runSmallSteps } from './testing/small-steps.ts';

const ROUNDS = 40;

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(projectRoot, 'dist/killed-'));
  program = await bundleProgram('scripts/testing/small-steps.ts', folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Ends it after so many milliseconds, unless it has ended. */
async function runAndKill(root: string, seed: string, afterMs: number): Promise<'killed' | 'ended'> {
  const child = spawn(process.execPath, [program, root, seed], { env: { SMALL_STEPS: 'run' }, stdio: 'ignore' });
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  return signal === 'SIGKILL' ? 'killed' : 'ended';
}

/** How many results count. */
async function expectWhole(root: string): Promise<number> {
  const { whole, broken } = await countResults(root);
  expect(broken).toEqual([]);
  return whole;
}

describe('a chain of steps', () => {
  it(`is whole after each of ${ROUNDS} kills, and ends as one that was never killed`, async () => {
    const clean = {
      a: await runSmallSteps(join(folder, 'clean-a'), 'a'),
      b: await runSmallSteps(join(folder, 'clean-b'), 'b'),
    };
    const started = performance.now();
    await runAndKill(join(folder, 'timing'), 'a', 60_000);
    const wholeMs = performance.now() - started;
    const root = join(folder, 'killed');
    let killed = 0;
    const seen = new Set<number>();
    for (let round = 0; round < ROUNDS; round += 1) {
      // Two inputs in turn, so that there is always something to make and something to take away.
      const seed = Math.floor(round / 4) % 2 === 0 ? 'a' : `b${round}`;
      if ((await runAndKill(root, seed, (wholeMs * (round + 0.5)) / ROUNDS)) === 'killed') killed += 1;
      seen.add(await expectWhole(root));
    }
    expect(killed).toBeGreaterThan(ROUNDS / 4);
    expect(seen.size).toBeGreaterThan(2);
    expect(await runSmallSteps(root, 'a')).toBe(clean.a);
    expect(await runSmallSteps(root, 'b')).toBe(clean.b);
    expect(await expectWhole(root)).toBeGreaterThan(3);
  });
});
