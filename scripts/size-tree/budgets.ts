/** Judges a built image by the budgets of its declaration. Pure. */
import { CodedError } from '../../src/shared/errors.ts';
import type { ImageSpec } from '../image-spec.ts';
import { PARTS, type PartName, type SizeNode, type SizeTree } from './size-tree.ts';

export class BudgetError extends CodedError<'ISO_OVER_BUDGET' | 'PART_OVER_BUDGET'> {}

/**
 * @param before the tree of the image built before, to tell what grew; null when there is none
 * @param words ` --flavour NAME` or nothing
 * @throws BudgetError naming part, bytes, budget, and what grew most
 */
export function requireBudgets(tree: SizeTree, before: SizeTree | null, budgets: ImageSpec['budgets'], words: string) {
  for (const [name, budget] of Object.entries(budgets.partBytes) as [PartName, number][]) {
    const part = tree.parts.find((one) => one.name === name);
    if (part === undefined || part.bytes <= budget) continue;
    const grew = growth(part, before?.parts.find((one) => one.name === name) ?? null);
    throw new BudgetError(
      'PART_OVER_BUDGET',
      `the part ${name} (${PARTS[name]}) of ${tree.image.name} has ${part.bytes} bytes, ` +
        `${part.bytes - budget} more than its budget of ${budget}; ${grew}`,
      { nextStep: nextStep(`budgets.partBytes.${name}`, words) },
    );
  }
  if (tree.isoBytes <= budgets.isoBytes) return;
  const whole = { name: 'ISO', bytes: tree.isoBytes, children: tree.parts };
  const known = before === null ? null : { name: 'ISO', bytes: before.isoBytes, children: before.parts };
  throw new BudgetError(
    'ISO_OVER_BUDGET',
    `the ISO of ${tree.image.name} has ${tree.isoBytes} bytes, ${tree.isoBytes - budgets.isoBytes} more than its ` +
      `budget of ${budgets.isoBytes}; ${growth(whole, known)}`,
    { nextStep: nextStep('budgets.isoBytes', words) },
  );
}

const nextStep = (key: string, words: string) =>
  `take something out of its declaration, or raise ${key} there, and: npx cpushare image lock${words}`;

/** The one child that grew most, followed down as long as it is most of the growth. */
export function growth(now: SizeNode, before: SizeNode | null): string {
  if (before === null) {
    const [largest] = now.children ?? [];
    return largest === undefined
      ? 'no earlier build to compare with'
      : `its largest: ${describe(largest.name, largest.bytes)}`;
  }
  const path: string[] = [];
  let most: { node: SizeNode; known: SizeNode | undefined; by: number } | undefined = largestGrowth(now, before);
  if (most === undefined || most.by <= 0) return 'nothing in it grew since the build before';
  let { by } = most;
  while (most !== undefined && most.by > by / 2) {
    path.push(most.node.name);
    by = most.by;
    most = most.known === undefined ? undefined : largestGrowth(most.node, most.known);
  }
  return `grown most since the build before: ${describe(path.join(' > '), by, '+')}`;
}

function largestGrowth(now: SizeNode, before: SizeNode) {
  return (now.children ?? [])
    .map((node) => {
      const known = before.children?.find((one) => one.name === node.name);
      return { node, known, by: node.bytes - (known?.bytes ?? 0) };
    })
    .sort((a, b) => b.by - a.by)[0];
}

const describe = (name: string, bytes: number, sign = '') => `${name} (${sign}${bytes} bytes)`;
