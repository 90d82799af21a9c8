/** What of a step's inputs differs from last time, one line for each, as `image build --explain` prints it. */

/** Why a step runs that has no last time. */
export const NEVER_BUILT = 'never built here';

/** Inputs by the name that a person knows them by. Contents are here as their SHA-256. */
export type Inputs = { readonly [name: string]: InputValue };
export type InputValue = string | number | boolean | readonly string[] | Inputs;

export function differences(before: Inputs, after: Inputs): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    if (old === undefined) return [`${name} is new`];
    if (now === undefined) return [`${name} is gone`];
    if (isList(old) && isList(now)) return [`${name} ${listDifference(old, now)}`];
    if (isNested(old) && isNested(now)) return differences(old, now).map((line) => `${name}: ${line}`);
    return [isSha256(old) && isSha256(now) ? `${name} changed` : `${name} ${text(old)} → ${text(now)}`];
  });
}

function listDifference(old: readonly string[], now: readonly string[]): string {
  const added = now.filter((one) => !old.includes(one)).map((one) => `+ ${one}`);
  const removed = old.filter((one) => !now.includes(one)).map((one) => `− ${one}`);
  const words = [...added, ...removed];
  return words.length === 0 ? 'in another order' : words.join(' ');
}

const isList = (value: InputValue): value is readonly string[] => Array.isArray(value);
const isNested = (value: InputValue): value is Inputs => typeof value === 'object' && !Array.isArray(value);
const isSha256 = (value: InputValue) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const text = (value: InputValue) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
