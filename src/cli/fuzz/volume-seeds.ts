/** Volumes labelled CPUSHARE of a few sectors each, with one file: small enough that most changes hit what is read. */
import { isoFile } from '../../../scripts/testing/iso-file.ts';

const LABEL = 'CPUSHARE';
const SECTOR = 512;
const CONTENT = Buffer.from('{"broker":"https://10.0.2.2:42007"}\n'.repeat(20));

/** One sector to a cluster and one to the table. The type follows from the number of clusters alone, most of which are not there. */
export function fatSeed(bits: 12 | 16 | 32): Uint8Array {
  const sectors = { 12: 100, 16: 5000, 32: 70_000 }[bits];
  const boot = Buffer.alloc(SECTOR);
  boot.writeUInt16LE(SECTOR, 11);
  boot.set([1, 1, 0, 1], 13); // sectors to a cluster, reserved sectors, tables
  boot.writeUInt16LE(bits === 32 ? 0 : 16, 17); // root entries
  boot.writeUInt32LE(sectors, 32);
  boot.writeUInt16LE(bits === 32 ? 0 : 1, 22);
  if (bits === 32) boot.writeUInt32LE(1, 36);
  if (bits === 32) boot.writeUInt32LE(2, 44); // the root's first cluster
  const labelAt = bits === 32 ? 71 : 43;
  boot[labelAt - 5] = 0x29;
  boot.write(LABEL.padEnd(11), labelAt, 'latin1');
  boot.set([0x55, 0xaa], 510);
  const first = bits === 32 ? 3 : 2;
  const root = Buffer.alloc(SECTOR);
  Buffer.concat([
    entry(LABEL.padEnd(11), 0x08, 0, 0),
    longName(),
    entry('CPUSHA~1JSO', 0x20, first, CONTENT.length),
  ]).copy(root);
  const content = Buffer.alloc(2 * SECTOR);
  CONTENT.copy(content);
  return new Uint8Array(Buffer.concat([boot, table(bits, first), root, content]));
}

/** The file is a chain of two clusters; a FAT32 root is one more, of one. */
function table(bits: 12 | 16 | 32, first: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  const end = 0x0fffffff;
  for (const [cluster, next] of [
    [2, end],
    [first, first + 1],
    [first + 1, end],
  ] as const) {
    if (bits === 32) bytes.writeUInt32LE(next, cluster * 4);
    else if (bits === 16) bytes.writeUInt16LE(next & 0xffff, cluster * 2);
    else {
      const at = Math.floor(cluster * 1.5);
      const shift = cluster % 2 === 0 ? 0 : 4;
      const kept = bytes.readUInt16LE(at) & ~(0xfff << shift);
      bytes.writeUInt16LE((kept | ((next & 0xfff) << shift)) & 0xffff, at);
    }
  }
  return bytes;
}

function entry(name: string, attributes: number, cluster: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.write(name, 0, 'latin1');
  bytes[11] = attributes;
  bytes.writeUInt16LE(cluster, 26);
  bytes.writeUInt32LE(sizeBytes, 28);
  return bytes;
}

function longName(): Buffer {
  const bytes = entry('\x41', 0x0f, 0, 0);
  for (const [index, at] of [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30].entries()) {
    bytes.writeUInt16LE('cpushare.json'.charCodeAt(index), at);
  }
  return bytes;
}

/** Nothing is read of the sectors before. */
export const ISO_SYSTEM_AREA_BYTES = 16 * 2048;

/** From the first descriptor on. The name is in Rock Ridge, or in Joliet's folder alone. */
export function isoSeed(names: 'Rock Ridge' | 'Joliet'): Uint8Array {
  const name = names === 'Joliet' ? '/other' : '/cpushare.json';
  const iso = isoFile({ [name]: CONTENT }).subarray(ISO_SYSTEM_AREA_BYTES);
  iso.write(LABEL.padEnd(32), 40, 'latin1');
  if (names === 'Rock Ridge') return new Uint8Array(iso);
  // In place of the terminator, and a folder of its own at the end with the same file.
  const descriptor = Buffer.from(iso.subarray(0, 2048));
  descriptor[0] = 2;
  descriptor.write('%/E', 88, 'latin1');
  const folderSector = 16 + iso.length / 2048;
  descriptor.writeUInt32LE(folderSector, 156 + 2);
  const folder = Buffer.alloc(2048);
  const identifier = Buffer.from('cpushare.json;1', 'utf16le').swap16();
  folder[0] = 34 + identifier.length;
  folder.writeUInt32LE(folderSector - 1, 2);
  folder.writeUInt32LE(CONTENT.length, 10);
  folder[32] = identifier.length;
  identifier.copy(folder, 33);
  return new Uint8Array(Buffer.concat([iso.subarray(0, 2048), descriptor, iso.subarray(4096), folder]));
}
