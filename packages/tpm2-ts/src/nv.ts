/** NV indexes, Part 2 §13. */
import { hashAlgorithm } from './algorithms.ts';
import { sized, u16, u32, type Value } from './codec.ts';
import { digest } from './public-area.ts';
import { struct } from './struct.ts';

/** TPMS_NV_PUBLIC, §13.5. `attributes` is TPMA_NV as a number: see NV_ATTRIBUTE. */
export const tpmsNvPublic = struct({
  nvIndex: u32,
  nameAlg: hashAlgorithm,
  attributes: u32,
  authPolicy: digest,
  dataSize: u16,
});
export type TpmsNvPublic = Value<typeof tpmsNvPublic>;
export const tpm2bNvPublic = sized(u16, tpmsNvPublic);
