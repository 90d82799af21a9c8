/** How an object came to be, Part 2 §15. Its ticket is in tickets.ts. */
import { hashAlgorithmOrNull } from './algorithms.ts';
import { data, name } from './attest.ts';
import { flags, sized, sizedBytes, u8, u16, type Value } from './codec.ts';
import { pcrSelections } from './pcr-selection.ts';
import { digest } from './public-area.ts';
import { struct } from './struct.ts';

/** TPMA_LOCALITY, §8.5, of localities 0 to 4; the extended ones (32 to 255) are refused. */
export const locality = flags(u8, { zero: 0, one: 1, two: 2, three: 3, four: 4 });

/** TPMS_CREATION_DATA, §15.1. The parent of a primary key is a hierarchy: nameAlg null, name a handle. */
export const tpmsCreationData = struct({
  pcrSelect: pcrSelections,
  pcrDigest: digest,
  locality: u8,
  parentNameAlg: hashAlgorithmOrNull,
  parentName: name,
  parentQualifiedName: name,
  outsideInfo: data,
});
export type TpmsCreationData = Value<typeof tpmsCreationData>;
export const tpm2bCreationData = sized(u16, tpmsCreationData);

/** TPM2B_SENSITIVE_CREATE, §11.1.16: the new object's password and, for data objects, its content. */
export const sensitiveCreate = sized(u16, struct({ userAuth: digest, data: sizedBytes(256) }));
