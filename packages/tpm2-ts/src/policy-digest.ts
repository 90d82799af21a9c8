/** What a policy session comes to (Part 3 §23), computed without a TPM: the value for an object's `authPolicy`. */
import { encode, u32 } from './codec.ts';
import { CC, HASH_SIZES, type HashName } from './constants.ts';
import { concat } from './kdf.ts';
import type { Digest } from './name.ts';
import { type PcrSelection, pcrSelections } from './pcr-selection.ts';

export type PolicyStep =
  /** TPM2_PolicySecret: the password of the entity with this Name. */
  | { readonly kind: 'secret'; readonly name: Uint8Array; readonly policyRef?: Uint8Array }
  /** TPM2_PolicyOR: one of these. What was fulfilled before no longer counts. */
  | { readonly kind: 'or'; readonly branches: readonly Uint8Array[] }
  /** TPM2_PolicyPCR; `pcrDigest` is over the values in the order of the selection, in the session's hash algorithm. */
  | { readonly kind: 'pcr'; readonly selection: readonly PcrSelection[]; readonly pcrDigest: Uint8Array }
  /** TPM2_PolicyCommandCode, with a value of `CC`. */
  | { readonly kind: 'commandCode'; readonly code: number }
  /** TPM2_PolicyAuthValue. */
  | { readonly kind: 'authValue' }
  /** TPM2_PolicyAuthorizeNV with the Name of the index. What was fulfilled before no longer counts. */
  | { readonly kind: 'authorizeNv'; readonly nvName: Uint8Array };

/** @param hash the session's hash algorithm, which is the nameAlg of the object that gets the policy */
export function policyDigest(hash: HashName, steps: readonly PolicyStep[], digest: Digest): Uint8Array {
  const zero = new Uint8Array(HASH_SIZES[hash]);
  const after = (old: Uint8Array, step: PolicyStep): Uint8Array => {
    const extend = (from: Uint8Array, code: number, ...parts: readonly Uint8Array[]) =>
      digest(hash, concat(from, encode(u32, code), ...parts));
    switch (step.kind) {
      case 'secret': {
        const named = extend(old, CC.policySecret, step.name);
        return digest(hash, concat(named, step.policyRef ?? new Uint8Array()));
      }
      case 'or':
        return extend(zero, CC.policyOr, ...step.branches);
      case 'pcr':
        return extend(old, CC.policyPcr, encode(pcrSelections, step.selection), step.pcrDigest);
      case 'commandCode':
        return extend(old, CC.policyCommandCode, encode(u32, step.code));
      case 'authValue':
        return extend(old, CC.policyAuthValue);
      case 'authorizeNv':
        return extend(zero, CC.policyAuthorizeNv, step.nvName);
    }
  };
  return steps.reduce(after, zero);
}
