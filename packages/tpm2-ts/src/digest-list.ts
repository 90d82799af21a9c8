/** Digests with and without their algorithm, Part 2 §10.3 and §10.9. */
import { hashAlgorithm, hashAlgorithmOrNull } from './algorithms.ts';
import { type Codec, list, u32 } from './codec.ts';
import { HASH_SIZES, type HashName } from './constants.ts';
import { digest } from './public-area.ts';

/** TPML_DIGEST, §10.9.5: at most eight. */
export const digestList = list(u32, digest, 8);

export interface TaggedDigest {
  readonly hash: HashName;
  /** Exactly as long as `hash` makes them. */
  readonly digest: Uint8Array;
}
/** TPMT_HA, §10.3.2: the algorithm says how many bytes follow. */
export const taggedDigest: Codec<TaggedDigest> = {
  read: (source) => {
    const hash = hashAlgorithm.read(source);
    return { hash, digest: source.take(HASH_SIZES[hash]) };
  },
  write: ({ hash, digest }, sink) => {
    hashAlgorithm.write(hash, sink);
    const wanted = HASH_SIZES[hash];
    if (digest.length !== wanted) {
      throw sink.error('BAD_VALUE', `${digest.length} bytes given, ${wanted} wanted for ${hash}`);
    }
    sink.put(digest);
  },
};
/** TPMT_HA+, §10.3.2: or none, without bytes. */
export const taggedDigestOrNull: Codec<TaggedDigest | null> = {
  read: (source) => {
    const start = source.offset;
    if (hashAlgorithmOrNull.read(source) === 'null') return null;
    source.offset = start;
    return taggedDigest.read(source);
  },
  write: (value, sink) => {
    if (value === null) hashAlgorithmOrNull.write('null', sink);
    else taggedDigest.write(value, sink);
  },
};
/** TPML_DIGEST_VALUES, §10.9.6: one digest for each bank, at most 16 banks. */
export const digestValues = list(u32, taggedDigest, 16);
