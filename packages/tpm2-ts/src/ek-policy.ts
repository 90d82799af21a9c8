/**
 * The policies of EKs, TCG EK Credential Profile 2.6 §B.6, computed from their definition. PolicyA is knowledge of the
 * endorsement hierarchy's password; PolicyC is a policy that somebody who knows it wrote into an NV index; PolicyB is either.
 */
import { decode, encode } from './codec.ts';
import { HASH_SIZES, type HashName, RH } from './constants.ts';
import { type Digest, handleName, nvName } from './name.ts';
import { nvAttributes, tpmsNvPublic } from './nv.ts';
import { policyDigest } from './policy-digest.ts';

/** Indexes I-1 to I-4, by hash algorithm. */
const POLICY_INDEXES = {
  sha256: 0x01c0_7f01,
  sha384: 0x01c0_7f02,
  sha512: 0x01c0_7f03,
  sm3_256: 0x01c0_7f04,
} as const;

const NO_ATTRIBUTES = decode(nvAttributes, new Uint8Array(4));
/** Written whole by who fulfils PolicyA, readable by everybody. */
const POLICY_INDEX_ATTRIBUTES = {
  ...NO_ATTRIBUTES,
  policyWrite: true,
  writeAll: true,
  ppRead: true,
  ownerRead: true,
  authRead: true,
  policyRead: true,
  noDa: true,
  written: true,
};

export interface EkPolicies {
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly c: Uint8Array;
}

/** Undefined for hash algorithms that the profile has no policies for. */
export function ekPolicies(hash: HashName, digest: Digest): EkPolicies | undefined {
  if (!Object.hasOwn(POLICY_INDEXES, hash)) return undefined;
  const a = policyDigest(hash, [{ kind: 'secret', name: handleName(RH.endorsement) }], digest);
  const index = encode(tpmsNvPublic, {
    nvIndex: POLICY_INDEXES[hash as keyof typeof POLICY_INDEXES],
    nameAlg: hash,
    attributes: POLICY_INDEX_ATTRIBUTES,
    authPolicy: a,
    dataSize: 2 + HASH_SIZES[hash],
  });
  const c = policyDigest(hash, [{ kind: 'authorizeNv', nvName: nvName(index, digest) }], digest);
  return { a, b: policyDigest(hash, [{ kind: 'or', branches: [a, c] }], digest), c };
}
