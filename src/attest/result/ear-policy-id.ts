/** Names for what was judged with: equal names, equal rules. Hashes over one fixed spelling of each. */
import { toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { ReferenceValues } from '../image/reference-values.ts';
import type { Policy } from '../policy/policy.ts';
import { canonicalJson } from './canonical-json.ts';
import { toBase64Url } from './ear.ts';

type Hashing = Pick<AttestCrypto, 'hash'>;

/** SHA-256 of the reference values in canonical JSON, hex: `jq -cS . reference-values.json | tr -d '\n' | sha256sum`. */
export function referenceId(values: ReferenceValues, crypto: Hashing): string {
  return contentId(values, crypto);
}

/** The same of any JSON value. */
export function contentId(value: unknown, crypto: Hashing): string {
  return toHex(crypto.hash('sha256', new TextEncoder().encode(canonicalJson(value))));
}

/** RFC 6920 URI `ni:///sha-256;…` over the policy and the ids of the reference values, whatever their order. */
export function policyId(policy: Policy, referenceIds: readonly string[], crypto: Hashing): string {
  const text = canonicalJson({ policy, referenceIds: [...referenceIds].sort() });
  return `ni:///sha-256;${toBase64Url(crypto.hash('sha256', new TextEncoder().encode(text)))}`;
}
