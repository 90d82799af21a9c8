/**
 * The records of an ISO 9660 folder (ECMA-119 §9.1) and their Rock Ridge names (IEEE P1282 §4.1.4). Pure. The bytes may come from
 * anybody: what does not fit is refused, and whether an extent lies inside the volume is for the caller to check.
 */
export const SECTOR_BYTES = 2048;

/** A stretch of the volume, in bytes. */
export interface Extent {
  readonly start: number;
  readonly sizeBytes: number;
}

export interface FolderRecord {
  /** As recorded: `NAME.EXT;1`, UTF-16BE in a Joliet volume, one byte 0 or 1 for the folder itself and its parent. */
  readonly identifier: Uint8Array;
  /** Empty without Rock Ridge. */
  readonly longName: Uint8Array;
  readonly isFolder: boolean;
  /** The file goes on in the next record. */
  readonly isContinued: boolean;
  readonly extent: Extent;
}

const ROOT_RECORD = { start: 156, end: 190 };
const FIXED_BYTES = 33;

/** Where a volume descriptor (§8.4.18) says that the root folder lies. */
export function rootFolder(descriptor: Uint8Array): Extent {
  return extentIn(descriptor.subarray(ROOT_RECORD.start, ROOT_RECORD.end));
}

/** @param damaged makes the caller's own error of what is wrong */
export function* folderRecords(folder: Uint8Array, damaged: (what: string) => Error): Generator<FolderRecord> {
  for (let at = 0; at < folder.length; ) {
    const length = folder[at] ?? 0;
    if (length === 0) {
      // §6.8.1.1: records do not cross sectors; the rest of this one is zero.
      at = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES;
      continue;
    }
    const record = folder.subarray(at, at + length);
    const identifierEnd = FIXED_BYTES + (record[32] ?? 0);
    if (length <= FIXED_BYTES || record.length < length || identifierEnd > length) {
      throw damaged(`a folder record of ${length} bytes`);
    }
    const flags = record[25] ?? 0;
    yield {
      identifier: record.subarray(FIXED_BYTES, identifierEnd),
      longName: longName(record.subarray(identifierEnd + (identifierEnd % 2))),
      isFolder: (flags & 0x02) !== 0,
      isContinued: (flags & 0x80) !== 0,
      extent: extentIn(record),
    };
    at += length;
  }
}

/** Both-endian numbers, of which the little-endian half is read. */
function extentIn(record: Uint8Array): Extent {
  const fields = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return { start: fields.getUint32(2, true) * SECTOR_BYTES, sizeBytes: fields.getUint32(10, true) };
}

/** All NM entries of the system use area, one after the other. */
function longName(systemUse: Uint8Array): Uint8Array {
  const name: number[] = [];
  for (let at = 0; at + 4 <= systemUse.length; ) {
    const length = systemUse[at + 2] ?? 0;
    if (length < 4 || at + length > systemUse.length) break;
    if (systemUse[at] === 0x4e && systemUse[at + 1] === 0x4d) name.push(...systemUse.subarray(at + 5, at + length));
    at += length;
  }
  return Uint8Array.from(name);
}
