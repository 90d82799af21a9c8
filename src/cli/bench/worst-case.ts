/** How long the dearest input takes that is known: CPU time of one thread, best of three. */
import { type WorstInput, worstInputs } from '../fuzz/worst-inputs.ts';
import type { Emit } from './figure.ts';

export interface WorstCase {
  readonly name: string;
  readonly bytes: number;
  readonly ms: number;
}

/** Slowest first. */
export function worstCase(inputs: readonly WorstInput[] = worstInputs()): readonly WorstCase[] {
  return inputs
    .map(({ name, bytes, run }) => ({ name, bytes, ms: Math.min(cpuMs(run), cpuMs(run), cpuMs(run)) }))
    .sort((a, b) => b.ms - a.ms);
}

export async function benchWorstCase(emit: Emit): Promise<void> {
  const cases = worstCase();
  for (const { name, ms } of cases) emit({ name: `attest.worst_case.${name}.ms`, value: rounded(ms), unit: 'ms' });
  emit({ name: 'attest.worst_case.ms', value: rounded(cases[0]?.ms ?? 0), unit: 'ms' });
}

function cpuMs(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const rounded = (ms: number): number => Math.round(10 * ms) / 10;
