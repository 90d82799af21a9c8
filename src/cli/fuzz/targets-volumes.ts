/** The stick, disc or partition that a machine's owner puts in: found by its label, one file read from it. */
import {
  type BlockReader,
  broken,
  type LabelledVolume,
  MAX_FILE_BYTES,
} from '../../sell-client/configuration/block-reader.ts';
import { readFat } from '../../sell-client/configuration/fat.ts';
import { readIso9660 } from '../../sell-client/configuration/iso9660.ts';
import { BrokenRule, type Target } from './target.ts';
import { fatSeed, ISO_SYSTEM_AREA_BYTES, isoSeed } from './volume-seeds.ts';

/** Much more than the input: what it points to is there, and zero. */
const DEVICE_BYTES = 2 ** 30;
/** A whole cluster for folder and file each, as large as FAT allows them, and no more than that of a slow stick. */
const MAX_READ_BYTES = 2 * 2 ** 20;

export function volumeTargets(): readonly Target[] {
  const volume = (
    name: string,
    read: (reader: BlockReader) => Promise<LabelledVolume | null>,
    seeds: readonly Uint8Array[],
    startBytes: number,
  ): Target => ({
    name,
    shape: 'bytes',
    seeds,
    maxBytes: 20_000,
    baseMs: 20,
    run: async (input) => {
      const found = await read(deviceWith(input, startBytes));
      if (found !== null && found.file !== null && found.file.length > MAX_FILE_BYTES)
        throw new BrokenRule('a file beyond its limit');
    },
  });
  return [
    volume('fat-volume', readFat, [fatSeed(12), fatSeed(16), fatSeed(32)], 0),
    volume('iso-volume', readIso9660, [isoSeed('Rock Ridge'), isoSeed('Joliet')], ISO_SYSTEM_AREA_BYTES),
  ];
}

/** A device that holds `input` from `startBytes` on, and zeros. */
export function deviceWith(input: Uint8Array, startBytes: number): BlockReader {
  let left = MAX_READ_BYTES;
  return {
    read: async (offset, length) => {
      left -= length;
      if (!Number.isSafeInteger(offset) || offset < 0 || length < 0) throw new BrokenRule(`a read at ${offset}`);
      if (left < 0) throw new BrokenRule(`more than ${MAX_READ_BYTES} bytes were asked of the device`);
      if (offset + length > DEVICE_BYTES) throw broken(`it ends at byte ${DEVICE_BYTES}`);
      const bytes = new Uint8Array(length);
      const from = Math.max(offset, startBytes);
      const to = Math.min(offset + length, startBytes + input.length);
      if (from < to) bytes.set(input.subarray(from - startBytes, to - startBytes), from - offset);
      return bytes;
    },
  };
}
