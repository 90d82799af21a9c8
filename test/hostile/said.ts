/** What a verdict tells a relying party: for asserting that a change which passes changes nothing of it. */
import type { Verdict } from '../../src/attest/verdict.ts';

/**
 * Null when `changed` says nothing that `genuine` does not say: it may say less (null for a value, fewer entries of a
 * list), never something else. Otherwise the path of the first such value. Sentences that count events and the
 * oddities that were named are no claims.
 */
export function saysMore(changed: Verdict, genuine: Verdict): string | null {
  return differs(claims(changed), claims(genuine), 'verdict');
}

function claims({ workarounds: _, checks, ...rest }: Verdict): unknown {
  return { ...rest, checks: checks.map(({ name, status, code }) => ({ name, status, code })) };
}

function differs(changed: unknown, genuine: unknown, path: string): string | null {
  if (changed === null || changed === undefined || Object.is(changed, genuine)) return null;
  if (typeof changed !== 'object' || typeof genuine !== 'object' || genuine === null) return path;
  if (Array.isArray(changed)) {
    if (!Array.isArray(genuine)) return path;
    if (changed.length === genuine.length)
      return first(changed.map((each, at) => differs(each, genuine[at], `${path}[${at}]`)));
    return first(
      changed.map((each, at) => (genuine.some((other) => differs(each, other, '') === null) ? null : `${path}[${at}]`)),
    );
  }
  return first(
    Object.entries(changed).map(([key, value]) =>
      differs(value, (genuine as Record<string, unknown>)[key] ?? null, `${path}.${key}`),
    ),
  );
}

const first = (paths: readonly (string | null)[]): string | null => paths.find((path) => path !== null) ?? null;
