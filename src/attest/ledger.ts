/** Keeps the checks of one appraisal in order. Every name of the list ends up in the verdict: passed, failed or not reached. */
import type { RefusalCode } from './refusal-codes.ts';
import { REMEDIES } from './remedies.ts';
import type { Check } from './verdict.ts';

export interface Failure {
  readonly code: RefusalCode;
  readonly family: 'malformed' | 'false' | 'policy';
  readonly sentence: string;
  /** In place of the general one in `REMEDIES`. */
  readonly remedy?: string;
  readonly difference?: NonNullable<Check['difference']>;
}

export interface Ledger {
  pass(name: string, sentence: string): void;
  fail(name: string, failure: Failure): void;
  /** True once a check failed: the stages behind must not run. */
  readonly failed: boolean;
  /** All checks in the order of `names`. */
  checks(): readonly Check[];
}

export function newLedger(names: readonly string[]): Ledger {
  const results: Check[] = [];
  let [next, failed] = [0, false];
  const put = (check: Check): void => {
    const at = names[next] === check.name ? next : names.indexOf(check.name);
    if (at === -1 || results[at] !== undefined) throw new Error(`check ${check.name} is out of order`);
    results[at] = check;
    next = at + 1;
  };
  return {
    pass: (name, sentence) => put({ name, status: 'passed', sentence }),
    fail: (name, failure) => {
      put({ name, status: 'failed', remedy: REMEDIES[failure.code], ...failure });
      failed = true;
    },
    get failed() {
      return failed;
    },
    checks: () => names.map((name, at) => results[at] ?? notReached(name)),
  };
}

function notReached(name: string): Check {
  return { name, status: 'not-reached', sentence: 'Not judged, because an earlier check failed.' };
}

/** `fail`, for stages that hand over null. */
export function refuse(ledger: Ledger, name: string, failure: Failure): null {
  ledger.fail(name, failure);
  return null;
}
