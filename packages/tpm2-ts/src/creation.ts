/** How an object came to be, Part 2 §15 and §10.7. */
import { hashAlgorithmOrNull } from './algorithms.ts';
import { data, name } from './attest.ts';
import { sized, sizedBytes, u8, u16, u32, type Value } from './codec.ts';
import { ST } from './constants.ts';
import { pcrSelections } from './pcr-selection.ts';
import { digest } from './public-area.ts';
import { constant, struct } from './struct.ts';

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

/** TPMT_TK_CREATION, §10.7.3. */
export const creationTicket = struct({ tag: constant(u16, ST.creation), hierarchy: u32, digest });
/** TPMT_TK_AUTH as PolicySecret returns it, §10.7.5. */
export const authTicket = struct({ tag: constant(u16, ST.authSecret), hierarchy: u32, digest });

/** TPM2B_SENSITIVE_CREATE, §11.1.16: the new object's password and, for data objects, its content. */
export const sensitiveCreate = sized(u16, struct({ userAuth: digest, data: sizedBytes(256) }));
