/** `cpushare fuzz`, which `npm run fuzz` runs: hostile input for every reader, guided by what code it reaches. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { CommandModule } from 'yargs';
import { projectRoot } from '../../scripts/project.ts';
import { CodedError } from '../shared/errors.ts';
import { startCoverage } from './fuzz/coverage.ts';
import { type FuzzState, newState, runBatch, runSeeds } from './fuzz/engine.ts';
import { type Finding, judgeInput } from './fuzz/judge.ts';
import { seededRandom } from './fuzz/random.ts';
import type { Target } from './fuzz/target.ts';

export class FuzzError extends CodedError<'FUZZ_TARGET_UNKNOWN' | 'FUZZ_INPUT_UNREADABLE' | 'FUZZ_FOUND'> {}

interface FuzzArguments {
  seconds: number;
  target: string[] | undefined;
  seed: number;
  replay: string | undefined;
}

/** One turn of a target, so that all come round even in a short run. Whole logs and reports take longer, and go deeper. */
const turnMs = ({ baseMs }: Target): number => (baseMs >= 20 ? 750 : 250);

export const fuzzCommand: CommandModule<object, FuzzArguments> = {
  command: 'fuzz',
  describe: 'feed hostile input to every reader, guided by the code it reaches',
  builder: (yargs) =>
    yargs
      .option('seconds', { type: 'number', requiresArg: true, default: 60, describe: 'how long, over all targets' })
      .option('target', { type: 'string', array: true, requiresArg: true, describe: 'only this one; repeat for more' })
      .option('seed', { type: 'number', requiresArg: true, default: 1, describe: 'another seed, other inputs' })
      .option('replay', { type: 'string', requiresArg: true, describe: 'run one input of dist/fuzz; needs --target' })
      .example('npm run fuzz -- --seconds 600', 'ten minutes over all readers')
      .example(
        'npm run fuzz -- --target event-log --replay dist/fuzz/event-log-0123456789ab',
        'one input again',
      ) as never,
  handler: async (args) => {
    const coverage = args.replay === undefined ? startCoverage() : null;
    // loaded after the counters were started: only code compiled since is counted
    const { allTargets } = await import('./fuzz/targets.ts');
    const targets = choose(allTargets(), args.target);
    if (args.replay !== undefined) return replay(targets, args.replay);

    const random = seededRandom(args.seed);
    const states = targets.map(newState);
    for (const state of states) await runSeeds(state, coverage);
    const end = performance.now() + 1000 * args.seconds;
    for (let turn = 0; performance.now() < end; turn += 1) {
      const state = states[turn % states.length] as FuzzState;
      const turnEnd = Math.min(end, performance.now() + turnMs(state.target));
      while (performance.now() < turnEnd) await runBatch(state, random, coverage);
    }
    coverage?.stop();
    for (const { target, inputs, corpus, seen } of states) {
      console.log(`${target.name}: ${inputs} inputs, ${corpus.length} kept, ${seen.size} blocks`);
    }
    await report(states.flatMap(({ findings }) => findings));
  },
};

function choose(all: readonly Target[], names: readonly string[] | undefined): readonly Target[] {
  if (names === undefined) return all;
  return names.map((name) => {
    const found = all.find((target) => target.name === name);
    if (found !== undefined) return found;
    throw new FuzzError('FUZZ_TARGET_UNKNOWN', `there is no target ${JSON.stringify(name)}`, {
      nextStep: `name one of: ${all.map((target) => target.name).join(', ')}`,
    });
  });
}

async function replay(targets: readonly Target[], path: string): Promise<void> {
  let input: Uint8Array;
  try {
    input = new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new FuzzError('FUZZ_INPUT_UNREADABLE', `${path} cannot be read`, { cause, nextStep: 'check the path' });
  }
  const findings: Finding[] = [];
  for (const target of targets) findings.push(...[(await judgeInput(target, input)) ?? []].flat());
  for (const { target, kind, sentence } of findings) console.log(`${target}: ${kind}: ${sentence}`);
  if (findings.length === 0) console.log('nothing is wrong with it any more');
  process.exitCode = findings.length === 0 ? 0 : 1;
}

/** @throws FuzzError FUZZ_FOUND when there is anything to report */
async function report(findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  const folder = join(projectRoot, 'dist/fuzz');
  await mkdir(folder, { recursive: true });
  for (const { target, kind, input, sentence } of findings) {
    const path = join(folder, `${target}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
    await writeFile(path, input);
    console.log(`${target}: ${kind}: ${sentence}`);
    console.log(`  again: npm run fuzz -- --target ${target} --replay ${relative(projectRoot, path)}`);
  }
  throw new FuzzError('FUZZ_FOUND', `${findings.length} inputs broke a rule`, {
    nextStep: 'mend the reader, and keep the input as a test in test/fuzz/regressions.test.ts',
  });
}
