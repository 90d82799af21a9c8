/** Which pieces of two ISOs differ, first the one that was made first. Pure. */
export interface Part {
  readonly name: string;
  readonly sha256: string;
}

export interface PartDifference {
  readonly name: string;
  /** In the ISO that was given; undefined: it has no such piece. */
  readonly given: string | undefined;
  /** In the one built here. */
  readonly built: string | undefined;
}

/** In the order of `built`; pieces that only the given one has come where their predecessor there stands. */
export function differingParts(given: readonly Part[], built: readonly Part[]): PartDifference[] {
  const there = new Map(given.map((part) => [part.name, part.sha256]));
  const here = new Map(built.map((part) => [part.name, part.sha256]));
  return mergedNames(given, built)
    .map((name) => ({ name, given: there.get(name), built: here.get(name) }))
    .filter((one) => one.given !== one.built);
}

function mergedNames(given: readonly Part[], built: readonly Part[]): string[] {
  const names = built.map(({ name }) => name);
  given.forEach(({ name }, index) => {
    if (names.includes(name)) return;
    const before = given[index - 1]?.name;
    names.splice(before === undefined ? 0 : names.indexOf(before) + 1, 0, name);
  });
  return names;
}

/** Paths (or package names) whose values differ, sorted. */
export function differingKeys(
  given: Readonly<Record<string, unknown>>,
  built: Readonly<Record<string, unknown>>,
): string[] {
  const keys = new Set([...Object.keys(given), ...Object.keys(built)]);
  return [...keys].filter((key) => JSON.stringify(given[key]) !== JSON.stringify(built[key])).sort();
}
