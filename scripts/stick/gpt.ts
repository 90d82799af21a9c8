/**
 * One more partition in the GPT of a hybrid ISO that lies on a larger disk (UEFI 2.10 §5.3): the table at its start is
 * changed, and its backup moves from the end of the ISO to the end of the disk, where the specification wants it.
 */
import { crc32 } from 'node:zlib';
import { CodedError } from '../../src/shared/errors.ts';
import { SECTOR_BYTES } from './fat-volume.ts';

export class GptError extends CodedError<'ISO_PARTITION_TABLE'> {}

/** Protective MBR, header and entries of our ISO: everything before its first usable sector. */
export const HEAD_SECTORS = 64;
const HEADER = SECTOR_BYTES;
const MIN_HEADER_BYTES = 92;
const ENTRY_BYTES = 128;
/** Microsoft basic data: a type that Windows, macOS and Linux all show, so that the file can be edited there. */
const BASIC_DATA = 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7';

export interface NewPartition {
  readonly firstSector: number;
  readonly sectors: number;
  readonly name: string;
  /** 16 bytes, as they stand in the table. */
  readonly id: Uint8Array;
}

export interface ChangedTable {
  /** In place of the first HEAD_SECTORS of the disk. */
  readonly head: Uint8Array;
  /** Entries and header, for the last sectors of the disk. */
  readonly backup: Uint8Array;
}

/** `head`: the first HEAD_SECTORS of the ISO. @throws GptError when they are not the head of such an ISO */
export function addPartition(head: Uint8Array, diskSectors: number, partition: NewPartition): ChangedTable {
  const changed = Buffer.from(head);
  const header = changed.subarray(HEADER, 2 * HEADER);
  const entries = checkedEntries(changed);
  const backupSectors = entries.length / SECTOR_BYTES + 1;
  const lastSector = diskSectors - 1;
  const lastUsable = lastSector - backupSectors;
  if (partition.firstSector + partition.sectors - 1 > lastUsable)
    throw unfit(`no room for it in ${diskSectors} sectors`);
  writeEntry(freeEntry(entries, partition.firstSector), partition);
  coverDisk(changed, lastSector);

  header.writeBigUInt64LE(BigInt(lastSector), 32); // the backup's place
  header.writeBigUInt64LE(BigInt(lastUsable), 48);
  header.writeUInt32LE(crc32(entries), 88);
  seal(header);

  const backupHeader = Buffer.from(header);
  backupHeader.writeBigUInt64LE(BigInt(lastSector), 24);
  backupHeader.writeBigUInt64LE(1n, 32);
  backupHeader.writeBigUInt64LE(BigInt(lastUsable + 1), 72); // its entries
  seal(backupHeader);
  return { head: new Uint8Array(changed), backup: new Uint8Array(Buffer.concat([entries, backupHeader])) };
}

/** The entries within `head`, once header and checksums are those of a sound table. */
function checkedEntries(head: Buffer): Buffer {
  const header = head.subarray(HEADER, 2 * HEADER);
  if (head.length !== HEAD_SECTORS * SECTOR_BYTES || header.toString('latin1', 0, 8) !== 'EFI PART') {
    throw unfit('it has none');
  }
  const headerBytes = header.readUInt32LE(12);
  if (headerBytes < MIN_HEADER_BYTES || headerBytes > SECTOR_BYTES) throw unfit(`a header of ${headerBytes} bytes`);
  if (header.readUInt32LE(16) !== headerChecksum(header)) throw unfit('its header does not fit its checksum');
  const at = Number(header.readBigUInt64LE(72)) * SECTOR_BYTES;
  const sizeBytes = header.readUInt32LE(80) * ENTRY_BYTES;
  const fits = header.readUInt32LE(84) === ENTRY_BYTES && sizeBytes % SECTOR_BYTES === 0 && at >= 2 * SECTOR_BYTES;
  if (!fits || at + sizeBytes > head.length) throw unfit('its entries lie elsewhere than in our ISOs');
  const entries = head.subarray(at, at + sizeBytes);
  if (crc32(entries) !== header.readUInt32LE(88)) throw unfit('its entries do not fit their checksum');
  return entries;
}

/** The first unused one; all used ones must end before the new partition. */
function freeEntry(entries: Buffer, firstSector: number): Buffer {
  for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
    const entry = entries.subarray(at, at + ENTRY_BYTES);
    if (entry.subarray(0, 16).every((byte) => byte === 0)) return entry;
    if (entry.readBigUInt64LE(40) >= BigInt(firstSector)) throw unfit('a partition lies behind the end of the ISO');
  }
  throw unfit('all its entries are used');
}

function writeEntry(entry: Buffer, { firstSector, sectors, name, id }: NewPartition): void {
  entry.set(guidBytes(BASIC_DATA), 0);
  entry.set(id, 16);
  entry.writeBigUInt64LE(BigInt(firstSector), 32);
  entry.writeBigUInt64LE(BigInt(firstSector + sectors - 1), 40);
  entry.write(name, 56, 'utf16le');
}

/** The protective MBR's one entry of type 0xee spans the disk (§5.2.3), as far as 32 bits reach. */
function coverDisk(head: Buffer, lastSector: number): void {
  for (let at = 446; at < 510; at += 16) {
    if (head[at + 4] === 0xee) head.writeUInt32LE(Math.min(lastSector, 0xffffffff), at + 12);
  }
}

function seal(header: Buffer): void {
  header.writeUInt32LE(headerChecksum(header), 16);
}

/** §5.3.2: over the header, with zero in the checksum's own place. */
function headerChecksum(header: Buffer): number {
  const copy = Buffer.from(header.subarray(0, header.readUInt32LE(12)));
  copy.writeUInt32LE(0, 16);
  return crc32(copy);
}

/** The first three groups are little-endian (UEFI 2.10, appendix A). */
function guidBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function unfit(why: string): GptError {
  return new GptError('ISO_PARTITION_TABLE', `the partition table of this ISO cannot take another partition: ${why}`, {
    nextStep: 'take an ISO that `npx cpushare image build` made, or write without --configuration',
  });
}
