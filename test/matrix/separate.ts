/**
 * Which one of many differences between two hosts shows in a build. Everything is varied at once first, as that is one build;
 * only when its result differs is it worth a build for each variation alone.
 */
export interface Cause<Variation extends string> {
  readonly variation: Variation;
  /** The first that differs when nothing else is varied. */
  readonly component: string;
}

export type Separation<Variation extends string> =
  | { readonly kind: 'same' }
  /** Two builds on the same host differ too: by chance, or by the time that passed. */
  | { readonly kind: 'unrepeatable'; readonly component: string }
  /** `causes` is empty when it takes several variations together. */
  | { readonly kind: 'caused'; readonly component: string; readonly causes: readonly Cause<Variation>[] };

/** @param firstDifference the first component that differs in a build on a host with these variations; undefined: none does */
export async function separate<Variation extends string>(
  variations: readonly Variation[],
  firstDifference: (varied: readonly Variation[]) => Promise<string | undefined>,
): Promise<Separation<Variation>> {
  const component = await firstDifference(variations);
  if (component === undefined) return { kind: 'same' };
  const without = await firstDifference([]);
  if (without !== undefined) return { kind: 'unrepeatable', component: without };
  const causes: Cause<Variation>[] = [];
  for (const variation of variations) {
    const alone = await firstDifference([variation]);
    if (alone !== undefined) causes.push({ variation, component: alone });
  }
  return { kind: 'caused', component, causes };
}

export function describeSeparation(found: Separation<string>): string {
  switch (found.kind) {
    case 'same':
      return 'same bytes';
    case 'unrepeatable':
      return `differs on the same host too, first in ${found.component}`;
    case 'caused': {
      const causes = found.causes.map(({ variation, component }) => `${variation} (first in ${component})`);
      const by = causes.length === 0 ? 'none of the variations alone' : causes.join(', ');
      return `the first component that differs: ${found.component}; caused by: ${by}`;
    }
  }
}
