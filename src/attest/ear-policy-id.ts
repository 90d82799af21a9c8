/** A name for what was judged with: equal names, equal rules. RFC 6920 `ni:` URI over the rules in one fixed spelling. */
import type { AttestCrypto } from './crypto.ts';
import { toBase64Url } from './ear.ts';
import type { Policy } from './policy.ts';

/** `ni:///sha-256;…` over the policy's JSON with sorted keys and the ids of the reference values, sorted. */
export function policyId(policy: Policy, referenceIds: readonly string[], crypto: Pick<AttestCrypto, 'hash'>): string {
  const text = canonicalJson({ policy, referenceIds: [...referenceIds].sort() });
  return `ni:///sha-256;${toBase64Url(crypto.hash('sha256', new TextEncoder().encode(text)))}`;
}

/** JSON with the keys of every object in order: one spelling for one value. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
