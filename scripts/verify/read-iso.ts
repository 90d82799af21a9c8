/**
 * Reads an ISO 9660 volume (ECMA-119) with Rock Ridge names (IEEE P1282): which files it holds and where they lie. The volume
 * may come from anybody, so each number in it is checked against its size before use.
 */
import { readSync } from 'node:fs';
import { CodedError } from '../../src/shared/errors.ts';
import { type Extent, folderRecords, rootFolder, SECTOR_BYTES } from '../../src/shared/iso9660-records.ts';

export class IsoError extends CodedError<'ISO_NOT_ISO' | 'ISO_DAMAGED'> {}

const FIRST_DESCRIPTOR = 16;
const MAX_FOLDER_BYTES = 1 << 20;
const MAX_DEPTH = 8;
const MAX_FILES = 10_000;

export interface Volume {
  readonly sizeBytes: number;
  /** By absolute path, sorted. */
  readonly files: ReadonlyMap<string, Extent>;
}

/** Exactly these bytes. @throws IsoError where the volume ends earlier. */
export type ReadAt = (extent: Extent) => Buffer;

export function readerOf(descriptor: number, sizeBytes: number): ReadAt {
  return (extent) => {
    refuseOutside(extent, sizeBytes);
    const buffer = Buffer.alloc(extent.sizeBytes);
    const bytesRead = readSync(descriptor, buffer, 0, extent.sizeBytes, extent.start);
    if (bytesRead !== extent.sizeBytes) throw damaged(`it ends before byte ${extent.start + extent.sizeBytes}`);
    return buffer;
  };
}

/** @throws IsoError */
export function readVolume(readAt: ReadAt, sizeBytes: number, name = 'it'): Volume {
  const size = (FIRST_DESCRIPTOR + 1) * SECTOR_BYTES;
  const descriptor =
    sizeBytes < size ? undefined : readAt({ start: FIRST_DESCRIPTOR * SECTOR_BYTES, sizeBytes: SECTOR_BYTES });
  if (descriptor === undefined || descriptor[0] !== 1 || descriptor.toString('latin1', 1, 6) !== 'CD001') {
    throw new IsoError('ISO_NOT_ISO', `there is no ISO 9660 volume in ${name}`, {
      nextStep: 'name the ISO itself, unpacked',
    });
  }
  const files = new Map<string, Extent>();
  const seen = new Set<number>();
  const walk = (folder: Extent, path: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw damaged(`folders lie deeper than ${MAX_DEPTH}`);
    if (folder.sizeBytes > MAX_FOLDER_BYTES) throw damaged(`the folder ${path}/ has ${folder.sizeBytes} bytes`);
    refuseOutside(folder, sizeBytes);
    if (seen.has(folder.start)) throw damaged(`the folder ${path}/ occurs twice`);
    seen.add(folder.start);
    for (const entry of entriesIn(readAt(folder))) {
      const at = `${path}/${entry.name}`;
      refuseOutside(entry.extent, sizeBytes);
      if (entry.isFolder) walk(entry.extent, at, depth + 1);
      else if (files.has(at)) throw damaged(`${at} occurs twice`);
      else files.set(at, entry.extent);
      if (files.size > MAX_FILES) throw damaged(`it holds more than ${MAX_FILES} files`);
    }
  };
  walk(rootFolder(descriptor), '', 0);
  return { sizeBytes, files: new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly extent: Extent;
}

function* entriesIn(folder: Buffer): Generator<Entry> {
  for (const record of folderRecords(folder, damaged)) {
    const identifier = Buffer.from(record.identifier).toString('latin1');
    if (identifier === '\0' || identifier === '\x01') continue;
    if (record.isContinued) throw damaged(`${JSON.stringify(identifier)} is spread over several extents`);
    const name = Buffer.from(record.longName).toString('utf8') || identifier.replace(/;\d+$/, '');
    if (name === '.' || name === '..' || !/^[^/\p{Cc}\p{Cf}]+$/u.test(name)) {
      throw damaged(`a file is named ${JSON.stringify(name)}`);
    }
    yield { name, isFolder: record.isFolder, extent: record.extent };
  }
}

function refuseOutside({ start, sizeBytes }: Extent, size: number): void {
  if (start + sizeBytes > size) throw damaged(`something in it lies at byte ${start}, beyond its end at ${size}`);
}

const damaged = (what: string) => new IsoError('ISO_DAMAGED', `the ISO is damaged: ${what}`);
