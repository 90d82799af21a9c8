/** PCR selections, Part 2 §10.6: in TypeScript a bank and a sorted list of register numbers. */
import { hashAlgorithm } from './algorithms.ts';
import { type Codec, list, u8, u32 } from './codec.ts';
import type { HashName } from './constants.ts';
import { struct } from './struct.ts';

/** The PC Client profile has 24 registers: three bytes of bits. */
const SELECT_BYTES = 3;
export const PCR_COUNT = 8 * SELECT_BYTES;

/** TPMS_PCR_SELECT, §10.6.1, at the PC Client size; least significant bit of the first byte is PCR 0. */
export const pcrBits: Codec<readonly number[]> = {
  read: (source) => {
    const at = source.offset;
    const size = source.takeNumber(1);
    if (size !== SELECT_BYTES) throw source.error('BAD_VALUE', `sizeofSelect ${size} instead of ${SELECT_BYTES}`, at);
    const bits = source.take(size);
    const pcrs: number[] = [];
    for (let pcr = 0; pcr < PCR_COUNT; pcr += 1) if (((bits[pcr >> 3] ?? 0) >> (pcr & 7)) & 1) pcrs.push(pcr);
    return pcrs;
  },
  write: (pcrs, sink) => {
    const bits = new Uint8Array(SELECT_BYTES);
    for (const pcr of pcrs) {
      if (!Number.isInteger(pcr) || pcr < 0 || pcr >= PCR_COUNT)
        throw sink.error('BAD_VALUE', `there is no PCR ${pcr}`);
      bits[pcr >> 3] = (bits[pcr >> 3] ?? 0) | (1 << (pcr & 7));
    }
    u8.write(SELECT_BYTES, sink);
    sink.put(bits);
  },
};

export interface PcrSelection {
  readonly hash: HashName;
  readonly pcrs: readonly number[];
}
/** TPMS_PCR_SELECTION, §10.6.2. */
export const pcrSelection: Codec<PcrSelection> = struct({ hash: hashAlgorithm, pcrs: pcrBits });
/** TPML_PCR_SELECTION, §10.9.7: at most one for each of 16 banks. Duplicates are kept for the caller to judge. */
export const pcrSelections = list(u32, pcrSelection, 16);
