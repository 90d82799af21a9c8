/** Names of entities, Part 1 §16: the hash algorithm and a digest of the public area. The digest function comes from outside. */
import { type Codec, decode, encode, u32 } from './codec.ts';
import { type HashName, RH } from './constants.ts';
import { taggedDigest } from './digest-list.ts';
import { TpmKeyError } from './errors.ts';
import { concat } from './kdf.ts';
import { tpmsNvPublic } from './nv.ts';
import { tpmtPublic } from './public-area.ts';

/** Such as `nodeDigest` in digest-node.ts. */
export type Digest = (algorithm: HashName, data: Uint8Array) => Uint8Array;

/** What a TPMU_NAME is, Part 2 §10.5.2: nothing, the handle of a hierarchy, register or session, or a digest. */
export type Name =
  | { readonly kind: 'none' }
  | { readonly kind: 'handle'; readonly handle: number }
  | { readonly kind: 'digest'; readonly hash: HashName; readonly digest: Uint8Array };

/** TPMU_NAME, Part 2 §10.5.2; its size, which must be known, tells the arms apart. Wrap it in `sized(u16, …)` for a TPM2B_NAME. */
export const tpmName: Codec<Name> = {
  read: (source) => {
    if (source.left === 0) return { kind: 'none' };
    if (source.left === 4) return { kind: 'handle', handle: u32.read(source) };
    return { kind: 'digest', ...taggedDigest.read(source) };
  },
  write: (value, sink) => {
    if (value.kind === 'handle') u32.write(value.handle, sink);
    if (value.kind === 'digest') taggedDigest.write(value, sink);
  },
};

/** The Name of a TPMT_PUBLIC. @throws TpmCodecError on bytes that are none, TpmKeyError on one without nameAlg */
export function objectName(publicArea: Uint8Array, digest: Digest): Uint8Array {
  return nameOf(nameAlgorithm(publicArea), publicArea, digest);
}

/** The Name of a TPMS_NV_PUBLIC, Part 1 §16. It changes when the index is first written. @throws TpmCodecError */
export function nvName(nvPublic: Uint8Array, digest: Digest): Uint8Array {
  return nameOf(decode(tpmsNvPublic, nvPublic, 'nvPublic').nameAlg, nvPublic, digest);
}

/** The Name of a hierarchy, register or session: its handle. */
export function handleName(handle: number): Uint8Array {
  return encode(u32, handle, 'handle');
}

/** The qualified Name of a primary key: it covers the hierarchy too, and is what `qualifiedSigner` of its quotes holds. */
export function primaryQualifiedName(
  publicArea: Uint8Array,
  digest: Digest,
  hierarchy: number = RH.endorsement,
): Uint8Array {
  return qualifiedName(handleName(hierarchy), objectName(publicArea, digest), digest);
}

/**
 * The qualified Name of a child, Part 1 §26.5: over its parent's qualified Name and its own Name, with its own hash algorithm.
 * @throws TpmKeyError when `name` is not a digest's
 */
export function qualifiedName(parentQualifiedName: Uint8Array, name: Uint8Array, digest: Digest): Uint8Array {
  const own = decode(tpmName, name, 'name');
  if (own.kind !== 'digest') throw new TpmKeyError(`a Name of ${name.length} bytes is not that of an object`);
  return nameOf(own.hash, concat(parentQualifiedName, name), digest);
}

function nameAlgorithm(publicArea: Uint8Array): HashName {
  const { nameAlg } = decode(tpmtPublic, publicArea, 'public');
  if (nameAlg === 'null') throw new TpmKeyError('an object whose nameAlg is null has no name');
  return nameAlg;
}

/** The Name of an entity whose name algorithm is known already, Part 1 §16. `area`: its public area as marshalled. */
export function nameOf(hash: HashName, data: Uint8Array, digest: Digest): Uint8Array {
  return encode(taggedDigest, { hash, digest: digest(hash, data) }, 'name');
}
