/** Runs one input and says what was wrong with how it was taken: a crash, too much time, too much memory. */
import { getHeapStatistics } from 'node:v8';
import { describeError } from '../../shared/errors.ts';
import { BrokenRule, isRefusal, requirePrintable, type Target } from './target.ts';

export interface Finding {
  readonly target: string;
  readonly kind: 'crash' | 'broken-rule' | 'slow' | 'memory';
  readonly input: Uint8Array;
  readonly sentence: string;
}

/** 100 ms for 100 KB, counted as CPU time of this process, over what a target takes for nothing. */
const MS_PER_KB = 1;
const MEMORY_BASE_BYTES = 48 * 1024 * 1024;
const MEMORY_PER_BYTE = 512;
/** A pause of the machine or the collector is no finding: all of these must be too slow. */
const RETRIES = 3;

export async function judgeInput(target: Target, input: Uint8Array): Promise<Finding | null> {
  const first = await measure(target, input);
  if (first.error !== undefined) return { target: target.name, input, ...crash(first.error) };
  const allowedMs = target.baseMs + (MS_PER_KB * input.length) / 1024;
  if (first.ms > allowedMs) {
    let best = first.ms;
    for (let retry = 0; retry < RETRIES && best > allowedMs; retry += 1)
      best = Math.min(best, (await measure(target, input)).ms);
    if (best > allowedMs) {
      const sentence = `${input.length} bytes took ${best.toFixed(1)} ms of CPU, allowed are ${allowedMs.toFixed(1)}`;
      return { target: target.name, kind: 'slow', input, sentence };
    }
  }
  const allowedBytes = MEMORY_BASE_BYTES + MEMORY_PER_BYTE * input.length;
  if (first.bytes > allowedBytes && (await measure(target, input)).bytes > allowedBytes) {
    const sentence = `${input.length} bytes made the memory grow by ${first.bytes}, allowed are ${allowedBytes}`;
    return { target: target.name, kind: 'memory', input, sentence };
  }
  return null;
}

async function measure(target: Target, input: Uint8Array): Promise<{ ms: number; bytes: number; error?: unknown }> {
  const memory = usedBytes();
  const start = process.cpuUsage();
  let error: unknown;
  try {
    await target.run(Uint8Array.from(input));
  } catch (thrown) {
    error = isRefusal(thrown) ? unprintable(thrown) : (thrown ?? new Error('threw nothing'));
  }
  const { user, system } = process.cpuUsage(start);
  return { ms: (user + system) / 1000, bytes: usedBytes() - memory, ...(error === undefined ? {} : { error }) };
}

/** A refusal quotes the input to a person. */
function unprintable(refusal: unknown): unknown {
  try {
    requirePrintable(describeError(refusal));
    return undefined;
  } catch (error) {
    return error;
  }
}

function usedBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

function crash(error: unknown): Pick<Finding, 'kind' | 'sentence'> {
  if (error instanceof BrokenRule) return { kind: 'broken-rule', sentence: error.message };
  const sentence =
    error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' ') : String(error);
  return { kind: 'crash', sentence };
}
