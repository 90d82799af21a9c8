/**
 * A disk as stream-optimized VMDK (VMware, "Virtual Disk Format 5.0" §2): the one kind of disk that OVF importers share.
 * Grains are deflate blocks of kind "stored": what a compressor makes of the same bytes differs between zlib's versions, and
 * kernel and initrd are compressed already. Grains of zeros are left out.
 */

const SECTOR_BYTES = 512;
const GRAIN_SECTORS = 128;
const GRAIN_BYTES = GRAIN_SECTORS * SECTOR_BYTES;
const TABLE_ENTRIES = 512;
const TABLE_SECTORS = (TABLE_ENTRIES * 4) / SECTOR_BYTES;
const DESCRIPTOR_SECTORS = 20;
/** Header and descriptor, up to the first grain. */
const OVERHEAD_SECTORS = 128;
const GD_AT_END = 0xffffffffffffffffn;
const MARKER = { endOfStream: 0, table: 1, directory: 2, footer: 3 } as const;

export interface VmdkInput {
  /** The disk's bytes, in any pieces. */
  readonly content: AsyncIterable<Uint8Array>;
  /** A multiple of 64 KiB; where `content` ends earlier, zeros follow. */
  readonly capacityBytes: number;
  /** CID and UUID of the disk are made of it: 16 bytes. */
  readonly id: Uint8Array;
}

export function canonicalUuid(id: Uint8Array): string {
  return Buffer.from(id)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The file, piece by piece. The same disk and id give the same bytes. */
export async function* streamOptimizedVmdk(input: VmdkInput): AsyncGenerator<Uint8Array> {
  const capacitySectors = input.capacityBytes / SECTOR_BYTES;
  const grainCount = capacitySectors / GRAIN_SECTORS;
  if (!Number.isInteger(grainCount)) throw new RangeError(`a capacity of ${input.capacityBytes} bytes`);
  let at = 0;
  const count = (bytes: Uint8Array) => {
    at += bytes.length / SECTOR_BYTES;
    return bytes;
  };
  yield count(head(input, capacitySectors));

  const directory: number[] = [];
  let table = new Uint32Array(TABLE_ENTRIES);
  let grain = 0;
  for await (const bytes of grainsOf(input.content)) {
    if (bytes.some((byte) => byte !== 0)) {
      table[grain % TABLE_ENTRIES] = at;
      yield count(packedGrain(bytes, grain * GRAIN_SECTORS));
    }
    grain += 1;
    if (grain % TABLE_ENTRIES !== 0) continue;
    directory.push(placeOf(table, at));
    if (directory.at(-1) !== 0) yield count(markedTable(table));
    table = new Uint32Array(TABLE_ENTRIES);
  }
  if (grain > grainCount) throw new RangeError(`${grain} grains on a disk of ${grainCount}`);
  for (let done = directory.length; done < Math.ceil(grainCount / TABLE_ENTRIES); done += 1) {
    directory.push(placeOf(table, at));
    if (directory.at(-1) !== 0) yield count(markedTable(table));
    table = new Uint32Array(TABLE_ENTRIES);
  }
  const directoryBytes = sectors(littleEndian(directory));
  const directoryAt = at + 1;
  yield count(marker(directoryBytes.length / SECTOR_BYTES, MARKER.directory));
  yield count(directoryBytes);
  yield marker(1, MARKER.footer);
  yield header(capacitySectors, BigInt(directoryAt));
  yield marker(0, MARKER.endOfStream);
}

/** Where a table's entries will lie, behind its marker; 0 for one without grains. */
function placeOf(table: Uint32Array, at: number): number {
  return table.some((place) => place !== 0) ? at + 1 : 0;
}

async function* grainsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let grain = Buffer.alloc(GRAIN_BYTES);
  let filled = 0;
  for await (const piece of content) {
    for (let from = 0; from < piece.length; ) {
      const part = piece.subarray(from, from + GRAIN_BYTES - filled);
      grain.set(part, filled);
      from += part.length;
      filled += part.length;
      if (filled < GRAIN_BYTES) continue;
      yield grain;
      grain = Buffer.alloc(GRAIN_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield grain;
}

function head({ id }: VmdkInput, capacitySectors: number): Buffer {
  const bytes = Buffer.alloc(OVERHEAD_SECTORS * SECTOR_BYTES);
  header(capacitySectors, GD_AT_END).copy(bytes);
  bytes.write(descriptor(id, capacitySectors), SECTOR_BYTES, 'latin1');
  return bytes;
}

/** SparseExtentHeader. */
function header(capacitySectors: number, directoryAt: bigint): Buffer {
  const bytes = Buffer.alloc(SECTOR_BYTES);
  bytes.write('KDMV', 0, 'latin1');
  bytes.writeUInt32LE(3, 4);
  bytes.writeUInt32LE(0x30001, 8); // line ends can be checked; grains compressed; markers
  bytes.writeBigUInt64LE(BigInt(capacitySectors), 12);
  bytes.writeBigUInt64LE(BigInt(GRAIN_SECTORS), 20);
  bytes.writeBigUInt64LE(1n, 28);
  bytes.writeBigUInt64LE(BigInt(DESCRIPTOR_SECTORS), 36);
  bytes.writeUInt32LE(TABLE_ENTRIES, 44);
  bytes.writeBigUInt64LE(0n, 48); // no redundant directory
  bytes.writeBigUInt64LE(directoryAt, 56);
  bytes.writeBigUInt64LE(BigInt(OVERHEAD_SECTORS), 64);
  bytes.write('\n \r\n', 73, 'latin1');
  bytes.writeUInt16LE(1, 77); // deflate
  return bytes;
}

function descriptor(id: Uint8Array, capacitySectors: number): string {
  const cylinders = Math.min(16383, Math.floor(capacitySectors / (16 * 63)));
  const contentId = Buffer.from(id).readUInt32LE(0) || 1;
  return [
    '# Disk DescriptorFile',
    'version=1',
    `CID=${contentId.toString(16).padStart(8, '0')}`,
    'parentCID=ffffffff',
    'createType="streamOptimized"',
    '',
    '# Extent description',
    `RDONLY ${capacitySectors} SPARSE "disk.vmdk"`,
    '',
    '# The Disk Data Base',
    '#DDB',
    '',
    'ddb.virtualHWVersion = "4"',
    'ddb.adapterType = "ide"',
    `ddb.geometry.cylinders = "${cylinders}"`,
    'ddb.geometry.heads = "16"',
    'ddb.geometry.sectors = "63"',
    `ddb.uuid.image = "${canonicalUuid(id)}"`,
    'ddb.uuid.parent = "00000000-0000-0000-0000-000000000000"',
    '',
  ].join('\n');
}

/** Sector number, size, then a zlib stream (RFC 1950) of stored blocks (RFC 1951 §3.2.4). */
function packedGrain(grain: Uint8Array, sector: number): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x78, 0x01])];
  for (let from = 0; from < grain.length; from += 0xffff) {
    const block = grain.subarray(from, from + 0xffff);
    const last = from + 0xffff >= grain.length;
    const blockHead = Buffer.from([last ? 1 : 0, 0, 0, 0, 0]);
    blockHead.writeUInt16LE(block.length, 1);
    blockHead.writeUInt16LE(~block.length & 0xffff, 3);
    parts.push(blockHead, block);
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(adler32(grain));
  const stream = Buffer.concat([...parts, checksum]);
  const mark = Buffer.alloc(12);
  mark.writeBigUInt64LE(BigInt(sector), 0);
  mark.writeUInt32LE(stream.length, 8);
  return sectors(Buffer.concat([mark, stream]));
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let from = 0; from < bytes.length; from += 3800) {
    // so few that neither sum passes 32 bits
    for (const byte of bytes.subarray(from, from + 3800)) {
      a += byte;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}

function markedTable(table: Uint32Array): Buffer {
  return Buffer.concat([marker(TABLE_SECTORS, MARKER.table), littleEndian([...table])]);
}

function marker(sectorCount: number, type: number): Buffer {
  const bytes = Buffer.alloc(SECTOR_BYTES);
  bytes.writeBigUInt64LE(BigInt(sectorCount), 0);
  bytes.writeUInt32LE(type, 12);
  return bytes;
}

function littleEndian(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
}

function sectors(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (SECTOR_BYTES - 1))]);
}
