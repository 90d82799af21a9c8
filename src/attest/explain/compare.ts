/** Puts two lists of measurements side by side: what is the same, what changed, what came, what went. */
import type { Measurement } from './measurement.ts';

export interface Pair {
  readonly pcr: number;
  readonly kind: 'same' | 'changed' | 'added' | 'missing';
  /** Null when added. */
  readonly before: Measurement | null;
  /** Null when missing. */
  readonly after: Measurement | null;
}

/** Longest common subsequence up to this many cells; beyond, equal digests are matched in order, which is linear. */
const MAX_CELLS = 400_000;

/** Register by register; in the order of the log, what is missing stands where it would have been. */
export function compare(
  before: readonly Measurement[],
  after: readonly Measurement[],
  pcrs: readonly number[],
): readonly Pair[] {
  return pcrs.flatMap((pcr) =>
    comparePcr(
      pcr,
      before.filter((each) => each.pcr === pcr),
      after.filter((each) => each.pcr === pcr),
    ),
  );
}

function comparePcr(pcr: number, before: readonly Measurement[], after: readonly Measurement[]): readonly Pair[] {
  const pairs: Pair[] = [];
  let [from, to] = [0, 0];
  for (const [i, j] of [...matches(before, after), [before.length, after.length] as const]) {
    pairs.push(...pairUp(pcr, before.slice(from, i), after.slice(to, j)));
    const [left, right] = [before[i], after[j]];
    if (left !== undefined && right !== undefined) pairs.push({ pcr, kind: 'same', before: left, after: right });
    [from, to] = [i + 1, j + 1];
  }
  return pairs;
}

/** Positions of measurements with equal digests, ascending in both lists. */
function matches(before: readonly Measurement[], after: readonly Measurement[]): (readonly [number, number])[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head]?.digest === after[head]?.digest) head += 1;
  const common = Array.from({ length: head }, (_, index) => [index, index] as const);
  const [left, right] = [before.slice(head), after.slice(head)];
  const found = (left.length + 1) * (right.length + 1) > MAX_CELLS ? inOrder(left, right) : longest(left, right);
  return [...common, ...found.map(([i, j]) => [i + head, j + head] as const)];
}

function longest(left: readonly Measurement[], right: readonly Measurement[]): (readonly [number, number])[] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row === undefined) continue;
      row[j] = left[i]?.digest === right[j]?.digest ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i]?.digest === right[j]?.digest) {
      found.push([i, j]);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return found;
}

function inOrder(left: readonly Measurement[], right: readonly Measurement[]): (readonly [number, number])[] {
  const places = new Map<string, number[]>();
  for (const [index, { digest }] of right.entries()) {
    const known = places.get(digest);
    if (known === undefined) places.set(digest, [index]);
    else known.push(index);
  }
  for (const list of places.values()) list.reverse(); // the next one is popped
  const found: (readonly [number, number])[] = [];
  let next = 0;
  for (const [index, { digest }] of left.entries()) {
    const list = places.get(digest) ?? [];
    while ((list.at(-1) ?? next) < next) list.pop();
    const place = list.pop();
    if (place === undefined) continue;
    found.push([index, place]);
    next = place + 1;
  }
  return found;
}

/** Pairing costs the square of a gap; in one that is longer than any real one, everything went and everything came. */
const MAX_GAP = 1000;

/** Between two equal measurements: those about the same subject are one thing that changed. */
function pairUp(pcr: number, before: readonly Measurement[], after: readonly Measurement[]): Pair[] {
  const pairable = before.length * after.length <= MAX_GAP * MAX_GAP;
  const left = [...after];
  const paired = before.map((each): Pair => {
    const index = pairable ? sameSubject(each, left) : -1;
    const [other] = index === -1 ? [] : left.splice(index, 1);
    return other === undefined
      ? { pcr, kind: 'missing', before: each, after: null }
      : { pcr, kind: 'changed', before: each, after: other };
  });
  return [...paired, ...left.map((each): Pair => ({ pcr, kind: 'added', before: null, after: each }))];
}

/** Of the same name before of the same subject. */
function sameSubject({ name, subjects }: Measurement, among: readonly Measurement[]): number {
  const named = among.findIndex((each) => each.name === name);
  return named !== -1 ? named : among.findIndex((each) => each.subjects.some((subject) => subjects.includes(subject)));
}
