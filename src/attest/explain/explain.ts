/**
 * Why a boot is not the expected one: every register with what was expected beside what was seen, and the changes in words.
 * It explains; it accepts nothing. Whether the log and the registers are genuine is for `appraise` to say.
 */
import { equalBytes, toHex } from '../../shared/bytes.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { initialPcr } from '../event-log/replay.ts';
import { CONFIGURATION_PCR } from '../evidence.ts';
import { IMA_PCR } from '../image/ima-log.ts';
import type { ReferenceValues } from '../image/reference-values.ts';
import { bootLoaderRule } from './boot-loader.ts';
import { bootMediumRule } from './boot-medium.ts';
import { type Baseline, type Change, differing, type Rule } from './change.ts';
import { commandLineRule } from './command-line.ts';
import { compare, type Pair } from './compare.ts';
import { firmwareRule } from './firmware.ts';
import { kernelRule } from './kernel.ts';
import { machineOwnerKeysRule } from './machine-owner-keys.ts';
import { type Measurement, measurementsOf, measurementsOfReference } from './measurement.ts';
import { nearestRelease, type Release, releaseChange } from './release.ts';
import { remainderRule } from './remainder.ts';
import { revocationsRule } from './revocations.ts';
import { againstEarlier, againstReference, type Runtime, runtimeRule } from './runtime.ts';
import { secureBootRule } from './secure-boot.ts';

export interface Boot {
  /** Decoded in the sha256 bank. */
  readonly events: readonly DecodedEvent[];
  /** Where the log leads to, sha256 bank. */
  readonly replayed: ReadonlyMap<number, Uint8Array>;
  readonly startupLocality: number;
  /** Registers as they were handed over, sha256 bank. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly runtime: Runtime;
}

export interface Explanation {
  /** Most telling first. */
  readonly changes: readonly Change[];
  readonly registers: readonly RegisterExplanation[];
  /** Of the reference values that were given, the one that fits best. */
  readonly nearest: Release | null;
}

export interface RegisterExplanation {
  readonly index: number;
  /** hex; null where it was not handed over. */
  readonly value: string | null;
  /** What it was compared with; null: with nothing. */
  readonly baseline: Baseline | null;
  /**
   * expected: as in the baseline. differs: not so. not-compared: explained by the log, and there is nothing to compare
   * with. unexplained: the log does not lead to the value, so nothing about this register is known. initial: never extended.
   * runtime: extended by the running system, whose records are judged apart.
   */
  readonly state: 'expected' | 'differs' | 'not-compared' | 'unexplained' | 'initial' | 'runtime';
  readonly pairs: readonly Pair[];
}

export interface Against {
  readonly references: readonly ReferenceValues[];
  readonly earlier: Boot | null;
}

const OWN_PCRS = [4, 8, 9, 14];
const LOG_PCRS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 15];
const ALL_PCRS = Array.from({ length: 16 }, (_, index) => index);
const EARLIER: Baseline = { kind: 'earlier', where: 'at the earlier boot' };

/** In this order: a rule sees only what those before it did not account for. */
const RULES: readonly Rule[] = [
  secureBootRule,
  revocationsRule,
  machineOwnerKeysRule,
  commandLineRule,
  kernelRule,
  bootLoaderRule,
  firmwareRule,
  bootMediumRule,
  runtimeRule,
  remainderRule,
];

export function explain(boot: Boot, against: Against): Explanation {
  const seen = measurementsOf(boot.events);
  const nearest = nearestRelease(seen, against.references);
  const parts: { readonly baseline: Baseline; readonly pcrs: readonly number[]; readonly pairs: readonly Pair[] }[] =
    [];
  if (nearest !== null) {
    const baseline: Baseline = { kind: 'reference', where: `in ${nearest.name}` };
    parts.push({ baseline, pcrs: OWN_PCRS, pairs: compare(measurementsOfReference(nearest.values), seen, OWN_PCRS) });
    parts.push({ baseline, pcrs: [IMA_PCR], pairs: againstReference(boot.runtime, nearest.values) });
  }
  if (against.earlier !== null) {
    const pcrs = LOG_PCRS.filter((pcr) => nearest === null || !OWN_PCRS.includes(pcr));
    parts.push({ baseline: EARLIER, pcrs, pairs: compare(measurementsOf(against.earlier.events), seen, pcrs) });
    const runtime = nearest === null ? [IMA_PCR, CONFIGURATION_PCR] : [CONFIGURATION_PCR];
    parts.push({
      baseline: EARLIER,
      pcrs: runtime,
      pairs: againstEarlier(against.earlier.runtime, boot.runtime, runtime),
    });
  }
  const unexplained = ALL_PCRS.filter((index) => isUnexplained(index, boot));
  return {
    changes: [
      ...releaseChange(nearest, nearestRelease(measurementsOf(against.earlier?.events ?? []), against.references)),
      ...parts.flatMap(({ pairs, baseline }) => changesOf(pairs, baseline)),
    ],
    registers: ALL_PCRS.map((index) => {
      const part = parts.find(({ pcrs }) => pcrs.includes(index));
      const pairs =
        part?.pairs.filter(({ pcr }) => pcr === index) ?? alone(index, [...seen, ...boot.runtime.measurements]);
      const value = boot.pcrs.get(index);
      return {
        index,
        value: value === undefined ? null : toHex(value),
        baseline: part?.baseline ?? null,
        state: stateOf(index, boot, part === undefined ? null : pairs, unexplained.includes(index)),
        pairs,
      };
    }),
    nearest,
  };
}

function changesOf(pairs: readonly Pair[], baseline: Baseline): readonly Change[] {
  let left = pairs;
  return RULES.flatMap((rule) => {
    const changes = rule(left, baseline);
    const covered = new Set(changes.flatMap((change) => change.pairs));
    left = left.filter((pair) => pair.kind === 'same' || !covered.has(pair));
    return changes;
  });
}

/** With nothing to compare with, everything that was measured stands alone. */
function alone(index: number, seen: readonly Measurement[]): readonly Pair[] {
  return seen
    .filter(({ pcr }) => pcr === index)
    .map((after) => ({ pcr: index, kind: 'same' as const, before: null, after }));
}

function stateOf(
  index: number,
  boot: Boot,
  pairs: readonly Pair[] | null,
  unexplained: boolean,
): RegisterExplanation['state'] {
  if (unexplained) return 'unexplained';
  if (pairs !== null && differing(pairs).length > 0) return 'differs';
  const value = boot.pcrs.get(index);
  if (value !== undefined && equalBytes(value, initialPcr(index, 'sha256', boot.startupLocality))) return 'initial';
  if (isRuntime(index) && pairs === null) return 'runtime';
  return pairs === null ? 'not-compared' : 'expected';
}

/** True where the value that was handed over is not where the log leads to. */
function isUnexplained(index: number, boot: Boot): boolean {
  const value = boot.pcrs.get(index);
  if (value === undefined) return false;
  const replayed = boot.replayed.get(index);
  if (replayed === undefined && isRuntime(index)) return boot.runtime.unexplained.includes(index);
  return !equalBytes(value, replayed ?? initialPcr(index, 'sha256', boot.startupLocality));
}

const isRuntime = (index: number): boolean => index === IMA_PCR || index === CONFIGURATION_PCR;
