/** A short run over every reader with a fixed seed, and the fuzzer itself: it finds what is planted. */
import { describe, expect, it } from 'vitest';
import { startCoverage } from '../../src/cli/fuzz/coverage.ts';
import { type FuzzState, newState, runBatch, runSeeds } from '../../src/cli/fuzz/engine.ts';
import { judgeInput } from '../../src/cli/fuzz/judge.ts';
import { seededRandom } from '../../src/cli/fuzz/random.ts';
import { BrokenRule, type Target } from '../../src/cli/fuzz/target.ts';
import { allTargets } from '../../src/cli/fuzz/targets.ts';
import { CodedError } from '../../src/shared/errors.ts';

const LONG = 120_000;
/** Batches of 24 inputs: fewer where each one is a whole log or report. */
const batchesFor = ({ name }: Target): number =>
  /^(event-log|appraise|report|explain|signature$)/.test(name) ? 3 : 20;

describe('every reader, for a fixed seed', () => {
  const targets = allTargets();

  it('is among the targets', () => {
    const names = targets.map((target) => target.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of ['event-log', 'ima-log', 'tpms-attest', 'certificate', 'report', 'policy', 'appraise-log']) {
      expect(names).toContain(name);
    }
    for (const { name, seeds } of targets) expect(seeds.length, name).toBeGreaterThan(0);
  });

  it('starts from input that is read to its end', { timeout: LONG }, async () => {
    const readToEnd = async ({ run, seeds }: Target): Promise<boolean> => {
      const read = await Promise.allSettled(seeds.map(async (seed) => run(seed)));
      return read.some(({ status }) => status === 'fulfilled');
    };
    const unread = [];
    for (const target of targets) if (!(await readToEnd(target))) unread.push(target.name);
    expect(unread).toEqual([]);
  });

  it.each(targets.map((target) => [target.name, target] as const))('%s', { timeout: LONG }, async (_, target) => {
    const state = newState(target);
    const random = seededRandom(20261121);
    await runSeeds(state, null);
    for (let batch = 0; batch < batchesFor(target); batch += 1) await runBatch(state, random, null);
    expect(state.findings.map(({ kind, sentence, input }) => ({ kind, sentence, input: hex(input) }))).toEqual([]);
    expect(state.inputs).toBe(24 * batchesFor(target));
  });
});

class Refused extends CodedError<'REFUSED'> {}

const planted = (run: Target['run']): Target => ({
  name: 'planted',
  shape: 'bytes',
  seeds: [Uint8Array.of(0, 0, 0, 0)],
  maxBytes: 10_000,
  baseMs: 20,
  run,
});

describe('the fuzzer', () => {
  it.each([
    { name: 'a TypeError', run: () => (undefined as unknown as string).length, kind: 'crash' },
    {
      name: 'a TypeError inside a coded error',
      run: () => {
        throw new Refused('REFUSED', 'no', { cause: new TypeError('x is undefined') });
      },
      kind: 'crash',
    },
    {
      name: 'an error without a code',
      run: () => {
        throw new Error('Invalid array length');
      },
      kind: 'crash',
    },
    {
      name: 'a broken rule',
      run: () => {
        throw new BrokenRule('was accepted');
      },
      kind: 'broken-rule',
    },
    {
      name: 'a TypeError after a wait',
      run: async () => {
        await Promise.resolve();
        return (undefined as unknown as string).length;
      },
      kind: 'crash',
    },
    { name: 'a slow reader', run: () => spin(80), kind: 'slow' },
    { name: 'a greedy reader', run: () => void held.push(new Uint8Array(200 * 1024 * 1024)), kind: 'memory' },
  ])('reports $name', async ({ run, kind }) => {
    expect(await judgeInput(planted(run as Target['run']), new Uint8Array(10))).toMatchObject({ kind });
    held.length = 0;
  });

  it('takes a coded refusal for what it is', async () => {
    const refuse = () => {
      throw new Refused('REFUSED', 'no', { cause: new SyntaxError('Unexpected token') });
    };
    expect(await judgeInput(planted(refuse), new Uint8Array(10))).toBeNull();
  });

  it('repeats itself for the same seed, and only for that', async () => {
    const inputsOf = async (seed: number): Promise<string[]> => {
      const inputs: string[] = [];
      const state = newState(planted((input) => void inputs.push(hex(input))));
      const random = seededRandom(seed);
      for (let batch = 0; batch < 3; batch += 1) await runBatch(state, random, null);
      return inputs;
    };
    expect(await inputsOf(5)).toEqual(await inputsOf(5));
    expect(await inputsOf(6)).not.toEqual(await inputsOf(5));
  });

  it('keeps what reached new code, and so finds its way behind three conditions', { timeout: LONG }, async () => {
    const coverage = startCoverage();
    // loaded only now: what was compiled before is not counted
    const { maze } = (await import('./maze.ts')) as { maze: Target['run'] };
    const state: FuzzState = newState(planted(maze));
    const random = seededRandom(1);
    await runSeeds(state, coverage);
    for (let batch = 0; batch < 2000 && state.findings.length === 0; batch += 1)
      await runBatch(state, random, coverage);
    coverage.stop();
    expect(state.corpus.length).toBeGreaterThan(1);
    expect(state.findings[0]).toMatchObject({ kind: 'broken-rule', sentence: 'the end of the maze' });
  });
});

const held: Uint8Array[] = [];

function spin(ms: number): void {
  const start = process.cpuUsage();
  while ((process.cpuUsage(start).user + process.cpuUsage(start).system) / 1000 < ms);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
