/** AR4SI's words for trust (draft-ietf-rats-ar4si §2.3): eight claims, each a number, and the four tiers they fall into. */

/** From most to least trust; `none` says nothing and so stands between a warning and a refusal. */
export const TIERS = ['affirming', 'warning', 'none', 'contraindicated'] as const;
export type Tier = (typeof TIERS)[number];

/** JSON names, as draft-ietf-rats-ear-04 has them. */
export const VECTOR_CLAIMS = [
  'instance-identity',
  'configuration',
  'executables',
  'file-system',
  'hardware',
  'runtime-opaque',
  'storage-opaque',
  'sourced-data',
] as const;
export type VectorClaim = (typeof VECTOR_CLAIMS)[number];

/** -128 to 127 each; a claim that is absent was not appraised. */
export type TrustVector = { readonly [claim in VectorClaim]?: number };

/** §2.3.2: the sign only tells standard values from a verifier's own. */
export function tierOf(value: number): Tier {
  if (value >= -1 && value <= 1) return 'none';
  if (value >= -32 && value < 32) return 'affirming';
  if (value >= -96 && value < 96) return 'warning';
  return 'contraindicated';
}

/** The lowest trust among the claims, silence included; an empty vector says nothing. For what we say ourselves. */
export function worstTier(vector: TrustVector): Tier {
  const ranks = Object.values(vector).map((value) => TIERS.indexOf(tierOf(value)));
  return TIERS[ranks.length === 0 ? TIERS.indexOf('none') : Math.max(...ranks)] ?? 'none';
}

/**
 * The same among the claims that say something. For what others say: AR4SI has a reader make no difference between a claim
 * of 0 and none at all, and verifiers of other makers fill their vectors up with zeros.
 */
export function worstSaidTier(vector: TrustVector): Tier {
  return worstTier(Object.fromEntries(Object.entries(vector).filter(([, value]) => tierOf(value) !== 'none')));
}

/** Whether `tier` promises more than `limit` does. */
export function promisesMore(tier: Tier, limit: Tier): boolean {
  return TIERS.indexOf(tier) < TIERS.indexOf(limit);
}
