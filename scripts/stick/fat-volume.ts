/**
 * A small FAT12 volume with one file, made without tools so that whoever writes a stick needs none (Microsoft, "FAT: General
 * Overview of On-Disk Format" 1.03). The same file gives the same bytes.
 */
import { CodedError } from '../../src/shared/errors.ts';

export class VolumeError extends CodedError<'CONFIGURATION_TOO_LARGE'> {}

export const SECTOR_BYTES = 512;
const SECTORS = 4096;
export const VOLUME_BYTES = SECTORS * SECTOR_BYTES;
const SECTORS_PER_CLUSTER = 2;
const CLUSTER_BYTES = SECTORS_PER_CLUSTER * SECTOR_BYTES;
const FAT_SECTORS = 7;
const FAT_COPIES = 2;
const ROOT_ENTRIES = 112;
const ENTRY_BYTES = 32;
const FIRST_FAT = SECTOR_BYTES;
const ROOT = FIRST_FAT + FAT_COPIES * FAT_SECTORS * SECTOR_BYTES;
const DATA = ROOT + ROOT_ENTRIES * ENTRY_BYTES;
const CLUSTERS = (VOLUME_BYTES - DATA) / CLUSTER_BYTES;
/** 1 January 1980, the first day that FAT knows: nothing of the clock goes in. */
const DATE = 0x0021;
const FIXED_DISK = 0xf8;
const END_OF_CHAIN = 0xfff;

const LABEL = 'CPUSHARE';
const FILE_NAME = 'cpushare.json';
/** Every long name has one of these too. */
const SHORT_NAME = 'CPUSHA~1JSO';

/** The volume labelled CPUSHARE, with `file` as cpushare.json. @throws VolumeError */
export function fatVolume(file: Uint8Array): Uint8Array {
  const clusters = Math.ceil(file.length / CLUSTER_BYTES);
  if (clusters > CLUSTERS) {
    throw new VolumeError('CONFIGURATION_TOO_LARGE', `the configuration has ${file.length} bytes`, {
      nextStep: 'give only what docs/writing.md names under The configuration',
    });
  }
  const volume = Buffer.alloc(VOLUME_BYTES);
  writeBootSector(volume);
  const fat = allocationTable(clusters);
  for (let copy = 0; copy < FAT_COPIES; copy += 1) fat.copy(volume, FIRST_FAT + copy * FAT_SECTORS * SECTOR_BYTES);
  const entries = [
    entry(LABEL.padEnd(11), 0x08),
    longName(),
    entry(SHORT_NAME, 0x20, clusters === 0 ? 0 : 2, file.length),
  ];
  Buffer.concat(entries).copy(volume, ROOT);
  volume.set(file, DATA);
  return new Uint8Array(volume);
}

function writeBootSector(volume: Buffer): void {
  volume.set([0xeb, 0x3c, 0x90], 0);
  volume.write('MSWIN4.1', 3, 'latin1');
  volume.writeUInt16LE(SECTOR_BYTES, 11);
  volume.writeUInt8(SECTORS_PER_CLUSTER, 13);
  volume.writeUInt16LE(1, 14); // reserved: this sector
  volume.writeUInt8(FAT_COPIES, 16);
  volume.writeUInt16LE(ROOT_ENTRIES, 17);
  volume.writeUInt16LE(SECTORS, 19);
  volume.writeUInt8(FIXED_DISK, 21);
  volume.writeUInt16LE(FAT_SECTORS, 22);
  volume.writeUInt16LE(32, 24); // sectors per track and heads: nobody asks a stick for them
  volume.writeUInt16LE(2, 26);
  volume.writeUInt8(0x80, 36);
  volume.writeUInt8(0x29, 38); // serial number, label and type follow
  volume.write('CPUS', 39, 'latin1');
  volume.write(LABEL.padEnd(11), 43, 'latin1');
  volume.write('FAT12   ', 54, 'latin1');
  volume.set([0x55, 0xaa], 510);
}

/** One file in one piece: each cluster names the next. Two 12-bit entries share three bytes. */
function allocationTable(clusters: number): Buffer {
  const table = Buffer.alloc(FAT_SECTORS * SECTOR_BYTES);
  const links = [0xf00 | FIXED_DISK, END_OF_CHAIN];
  for (let index = 0; index < clusters; index += 1) links.push(index === clusters - 1 ? END_OF_CHAIN : index + 3);
  for (const [cluster, link] of links.entries()) {
    const at = Math.floor(cluster * 1.5);
    const before = table.readUInt16LE(at);
    table.writeUInt16LE(cluster % 2 === 0 ? (before & 0xf000) | link : (before & 0x000f) | (link << 4), at);
  }
  return table;
}

function entry(name: string, attributes: number, cluster = 0, sizeBytes = 0): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.write(name, 0, 'latin1');
  bytes.writeUInt8(attributes, 11);
  bytes.writeUInt16LE(DATE, 16); // created
  bytes.writeUInt16LE(DATE, 18); // read
  bytes.writeUInt16LE(DATE, 24); // written
  bytes.writeUInt16LE(cluster, 26);
  bytes.writeUInt32LE(sizeBytes, 28);
  return bytes;
}

/** `cpushare.json` has 13 characters, as many as one piece of a long name holds. */
function longName(): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.writeUInt8(0x41, 0); // the first piece and the last
  bytes.writeUInt8(0x0f, 11);
  bytes.writeUInt8(shortNameChecksum(), 13);
  const places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
  for (const [index, at] of places.entries()) bytes.writeUInt16LE(FILE_NAME.charCodeAt(index), at);
  return bytes;
}

function shortNameChecksum(): number {
  return Buffer.from(SHORT_NAME, 'latin1').reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0);
}
