/** NV indexes, Part 2 §13: what an index holds, who may read and write it. The index's Name is in name.ts. */
import { hashAlgorithm } from './algorithms.ts';
import { type Codec, flags, sized, u16, u32, type Value } from './codec.ts';
import { digest } from './public-area.ts';
import { struct } from './struct.ts';

const BITS = {
  ppWrite: 0,
  ownerWrite: 1,
  authWrite: 2,
  policyWrite: 3,
  policyDelete: 10,
  writeLocked: 11,
  writeAll: 12,
  writeDefine: 13,
  writeStClear: 14,
  globalLock: 15,
  ppRead: 16,
  ownerRead: 17,
  authRead: 18,
  policyRead: 19,
  noDa: 25,
  orderly: 26,
  clearStClear: 27,
  readLocked: 28,
  written: 29,
  platformCreate: 30,
  readStClear: 31,
} as const;
const allBits = flags(u32, { ...BITS, type0: 4, type1: 5, type2: 6, type3: 7 });

/** TPM_NT, §13.4: what kind of data; bits 4–7 of TPMA_NV. */
const TYPES = { ordinary: 0, counter: 1, bits: 2, extend: 4, pinFail: 8, pinPass: 9 } as const;
export type NvType = keyof typeof TYPES;

export type NvAttributes = { readonly [name in keyof typeof BITS]: boolean } & { readonly type: NvType };

/** TPMA_NV, §13.4. Reserved bits and reserved types are refused. */
export const nvAttributes: Codec<NvAttributes> = {
  read: (source) => {
    const at = source.offset;
    const { type0, type1, type2, type3, ...bits } = allBits.read(source);
    const number = Number(type0) + 2 * Number(type1) + 4 * Number(type2) + 8 * Number(type3);
    const type = (Object.keys(TYPES) as NvType[]).find((name) => TYPES[name] === number);
    if (type === undefined) throw source.error('BAD_VALUE', `NV type ${number} is reserved`, at);
    return { ...bits, type };
  },
  write: ({ type, ...bits }, sink) => {
    const number = TYPES[type];
    if (number === undefined) throw sink.error('BAD_VALUE', `${JSON.stringify(type)} is no NV type`);
    const bit = (position: number) => ((number >>> position) & 1) === 1;
    allBits.write({ ...bits, type0: bit(0), type1: bit(1), type2: bit(2), type3: bit(3) }, sink);
  },
};

/** TPMS_NV_PUBLIC, §13.5. `dataSize` is bytes. */
export const tpmsNvPublic = struct({
  nvIndex: u32,
  nameAlg: hashAlgorithm,
  attributes: nvAttributes,
  authPolicy: digest,
  dataSize: u16,
});
export type TpmsNvPublic = Value<typeof tpmsNvPublic>;
/** TPM2B_NV_PUBLIC, §13.6. */
export const tpm2bNvPublic = sized(u16, tpmsNvPublic);
