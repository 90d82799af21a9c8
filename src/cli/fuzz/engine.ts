/** The loop: change an input, run it, keep it when it reached new code, report it when it broke something. */
import type { Coverage } from './coverage.ts';
import { type Finding, judgeInput } from './judge.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateDer } from './mutate-der.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateLog } from './mutate-log.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

/** Without coverage, and at least. */
const BATCH = 24;
/** A look at the coverage is dear: this many times as long the inputs of a batch may take. */
const LOOK_SHARE = 6;
/** Looks spent on finding which inputs of a batch reached new code; what is left over is found another time. */
const MAX_LOOKS = 24;
const MAX_CORPUS = 400;

export interface FuzzState {
  readonly target: Target;
  readonly corpus: Uint8Array[];
  readonly seen: Set<string>;
  inputs: number;
  /** How long the last look at the coverage took. */
  lookMs: number;
  readonly findings: Finding[];
}

export function newState(target: Target): FuzzState {
  return { target, corpus: [...target.seeds], seen: new Set(), inputs: 0, lookMs: 0, findings: [] };
}

/** Runs the seeds themselves: they must be taken well, and their blocks are known afterwards. */
export async function runSeeds(state: FuzzState, coverage: Coverage | null): Promise<void> {
  for (const seed of state.target.seeds) note(state, await judgeInput(state.target, seed));
  for (const block of coverage?.take() ?? []) state.seen.add(block);
}

export async function runBatch(state: FuzzState, random: Random, coverage: Coverage | null): Promise<void> {
  const { target, corpus } = state;
  const batch: Uint8Array[] = [];
  const end = performance.now() + LOOK_SHARE * state.lookMs;
  while (batch.length < BATCH || performance.now() < end) {
    const input = mutated(target, corpus, random);
    batch.push(input);
    note(state, await judgeInput(target, input));
    state.inputs += 1;
  }
  if (coverage === null) return;
  const start = performance.now();
  const blocks = coverage.take();
  state.lookMs = performance.now() - start;
  if (hasNews(state, blocks)) await keepNews(state, batch, random, coverage, { left: MAX_LOOKS });
}

/** Halves the batch until it is known which inputs the news came from. */
async function keepNews(
  state: FuzzState,
  inputs: readonly Uint8Array[],
  random: Random,
  coverage: Coverage,
  looks: { left: number },
): Promise<void> {
  if (inputs.length === 0 || looks.left === 0) return;
  for (const input of inputs) await judgeInput(state.target, input);
  looks.left -= 1;
  const blocks = coverage.take();
  if (!hasNews(state, blocks)) return;
  const [only] = inputs;
  if (inputs.length > 1 || only === undefined) {
    const half = inputs.length >> 1;
    await keepNews(state, inputs.slice(0, half), random, coverage, looks);
    await keepNews(state, inputs.slice(half), random, coverage, looks);
    return;
  }
  for (const block of blocks) state.seen.add(block);
  const { corpus, target } = state;
  if (corpus.length >= MAX_CORPUS) {
    corpus.splice(target.seeds.length + random.below(MAX_CORPUS - target.seeds.length), 1);
  }
  corpus.push(only);
}

const hasNews = ({ seen }: FuzzState, blocks: readonly string[]): boolean => blocks.some((block) => !seen.has(block));

function note(state: FuzzState, finding: Finding | null): void {
  if (finding === null) return;
  // one of a kind is enough: the place where it broke, without its numbers
  const place = (each: Finding): string => `${each.kind} ${each.sentence.replace(/\d+(\.\d+)?/g, 'N').slice(0, 300)}`;
  if (!state.findings.some((known) => place(known) === place(finding))) state.findings.push(finding);
}

function mutated(target: Target, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  // later entries reached newer code: half of the choices fall on the last eighth
  const recent = random.chance(2) ? Math.max(1, corpus.length >> 3) : corpus.length;
  const input = corpus[corpus.length - 1 - random.below(recent)] ?? new Uint8Array();
  switch (target.shape) {
    case 'json':
      return mutateJson(input, random).subarray(0, target.maxBytes);
    case 'der':
      return mutateDer(input, corpus, target.maxBytes, random);
    case 'log':
      return mutateLog(input, corpus, target.maxBytes, random);
    case 'bytes':
      return mutateBytes(input, corpus, target.maxBytes, random);
    default:
      throw new Error(`no mutation for the shape ${String(target.shape satisfies never)}`);
  }
}
