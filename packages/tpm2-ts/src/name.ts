/** Names of objects, Part 1 §16: the hash algorithm and a digest of the public area. The digest function comes from outside. */
import { decode, encode, u16, u32 } from './codec.ts';
import { HASH_ALGORITHMS, type HashName, RH } from './constants.ts';
import { TpmKeyError } from './errors.ts';
import { tpmtPublic } from './public-area.ts';

/** Such as `nodeDigest` in digest-node.ts. */
export type Digest = (algorithm: HashName, data: Uint8Array) => Uint8Array;

/** The Name of a TPMT_PUBLIC. @throws TpmCodecError on bytes that are none, or that have no nameAlg */
export function objectName(publicArea: Uint8Array, digest: Digest): Uint8Array {
  return withAlgorithm(nameAlgorithm(publicArea), publicArea, digest);
}

/** The qualified Name of a primary key: it covers the hierarchy too, and is what `qualifiedSigner` of its quotes holds. */
export function primaryQualifiedName(
  publicArea: Uint8Array,
  digest: Digest,
  hierarchy: number = RH.endorsement,
): Uint8Array {
  const name = objectName(publicArea, digest);
  const chained = new Uint8Array(4 + name.length);
  chained.set(encode(u32, hierarchy));
  chained.set(name, 4);
  return withAlgorithm(nameAlgorithm(publicArea), chained, digest);
}

function nameAlgorithm(publicArea: Uint8Array): HashName {
  const { nameAlg } = decode(tpmtPublic, publicArea, 'public');
  if (nameAlg === 'null') throw new TpmKeyError('an object whose nameAlg is null has no name');
  return nameAlg;
}

function withAlgorithm(algorithm: HashName, data: Uint8Array, digest: Digest): Uint8Array {
  const hashed = digest(algorithm, data);
  const name = new Uint8Array(2 + hashed.length);
  name.set(encode(u16, HASH_ALGORITHMS[algorithm]));
  name.set(hashed, 2);
  return name;
}
