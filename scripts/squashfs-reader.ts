/**
 * What each file of a squashfs 4.0 weighs in it (kernel: Documentation/filesystems/squashfs.rst, fs/squashfs/squashfs_fs.h).
 * Exact for whole blocks; the ends of files share blocks (fragments), which count for each file by its part of them. Of
 * files with equal content the first one is counted.
 */
import { posix } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';

export class SquashfsError extends CodedError<'SQUASHFS_MALFORMED'> {}

export interface PackedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly packedBytes: number;
}

export interface PackedFiles {
  readonly files: readonly PackedFile[];
  /** Names, owners, places: what is not content of files. */
  readonly tableBytes: number;
}

/** One compressed block of the kind that the squashfs names. */
export type DecompressBlock = (compression: BlockCompression, block: Uint8Array) => Promise<Uint8Array>;
export type BlockCompression = (typeof COMPRESSORS)[keyof typeof COMPRESSORS];

/** By number in the superblock. */
const COMPRESSORS = { 1: 'gzip', 4: 'xz', 6: 'zstd' } as const;

const NO_FRAGMENT = 0xffffffff;
const UNCOMPRESSED_DATA = 1 << 24;
const UNCOMPRESSED_METADATA = 1 << 15;
const METADATA_BYTES = 8192;
const MAX_DEPTH = 64;
const MAX_FILES = 1_000_000;

interface Layout {
  readonly bytes: Buffer;
  readonly compression: BlockCompression;
  readonly blockBytes: number;
  readonly usedBytes: number;
  readonly inodeTable: number;
  readonly folderTable: number;
  readonly metadata: (at: number) => Promise<{ content: Buffer; next: number }>;
  /** Folders that were gone into: two ways to one of them would double the work with each level. */
  readonly walked: Set<string>;
}

interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly blocksAt: number;
  readonly blockSizes: readonly number[];
  readonly fragment: number;
}

/** @throws SquashfsError */
export async function readPackedFiles(squashfs: Uint8Array, decompress: DecompressBlock): Promise<PackedFiles> {
  const bytes = Buffer.from(squashfs.buffer, squashfs.byteOffset, squashfs.byteLength);
  try {
    const layout = readSuperblock(bytes, decompress);
    const found: FoundFile[] = [];
    const root = bytes.readBigUInt64LE(32);
    await walk(layout, { block: Number(root >> 16n), offset: Number(root & 0xffffn) }, '', found, 0);
    const fragments = await readFragments(layout);
    const files = weigh(found, fragments, layout.blockBytes);
    const content = files.reduce((sum, one) => sum + one.packedBytes, 0);
    return { files, tableBytes: Math.max(0, layout.usedBytes - content) };
  } catch (cause) {
    // What Buffer says of a read beyond its end; anything else would be a mistake of this reader.
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_OUT_OF_RANGE' || code === 'ERR_BUFFER_OUT_OF_BOUNDS')
      throw malformed('a table points outside the file');
    throw cause;
  }
}

function readSuperblock(bytes: Buffer, decompress: DecompressBlock): Layout {
  if (bytes.toString('latin1', 0, 4) !== 'hsqs' || bytes.readUInt16LE(28) !== 4) throw malformed('no squashfs 4');
  const compressor = bytes.readUInt16LE(20);
  if (compressor !== 1 && compressor !== 4 && compressor !== 6) throw malformed(`compressor ${compressor}`);
  const compression = COMPRESSORS[compressor];
  const cache = new Map<number, Promise<{ content: Buffer; next: number }>>();
  const metadata = async (at: number) => {
    const header = bytes.readUInt16LE(at);
    const packed = bytes.subarray(at + 2, at + 2 + (header & (UNCOMPRESSED_METADATA - 1)));
    const plain =
      (header & UNCOMPRESSED_METADATA) !== 0
        ? packed
        : await decompress(compression, packed).catch((cause: unknown) => {
            throw malformed(
              `a block cannot be decompressed: ${cause instanceof Error ? cause.message : String(cause)}`,
            );
          });
    if (plain.length === 0 || plain.length > METADATA_BYTES) throw malformed(`a table block of ${plain.length} bytes`);
    return { content: Buffer.from(plain), next: at + 2 + packed.length };
  };
  return {
    bytes,
    walked: new Set(),
    compression,
    blockBytes: bytes.readUInt32LE(12),
    usedBytes: Number(bytes.readBigUInt64LE(40)),
    inodeTable: Number(bytes.readBigUInt64LE(64)),
    folderTable: Number(bytes.readBigUInt64LE(72)),
    metadata: (at) => {
      const block = cache.get(at) ?? metadata(at);
      cache.set(at, block);
      return block;
    },
  };
}

/** `length` bytes of a table, over as many blocks as they lie in. */
async function readTable(layout: Layout, at: number, offset: number, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let have = -offset;
  for (let next = at; have < length; ) {
    const block = await layout.metadata(next);
    parts.push(block.content);
    have += block.content.length;
    next = block.next;
  }
  return Buffer.concat(parts).subarray(offset, offset + length);
}

interface InodePlace {
  /** Of the metadata block, from the start of the inode table. */
  readonly block: number;
  readonly offset: number;
}

async function walk(layout: Layout, place: InodePlace, path: string, found: FoundFile[], depth: number): Promise<void> {
  if (depth > MAX_DEPTH || found.length > MAX_FILES) throw malformed('folders too deep or too many files');
  const read = (length: number) => readTable(layout, layout.inodeTable + place.block, place.offset, length);
  const type = (await read(16)).readUInt16LE(0);
  if (type === 2) found.push(await basicFile(layout, read, path));
  if (type === 9) found.push(await extendedFile(layout, read, path));
  if (type !== 1 && type !== 8) return;
  const inodeAt = `${place.block} ${place.offset}`;
  if (layout.walked.has(inodeAt)) throw malformed(`the folder ${path || '/'} occurs twice`);
  layout.walked.add(inodeAt);
  const inode = await read(type === 1 ? 32 : 40);
  const listing =
    type === 1
      ? { block: inode.readUInt32LE(16), length: inode.readUInt16LE(24), offset: inode.readUInt16LE(26) }
      : { block: inode.readUInt32LE(24), length: inode.readUInt32LE(20), offset: inode.readUInt16LE(34) };
  // The length counts `.` and `..`, which are not stored.
  if (listing.length <= 3) return;
  const text = await readTable(layout, layout.folderTable + listing.block, listing.offset, listing.length - 3);
  for (let at = 0; at < text.length; ) {
    const count = text.readUInt32LE(at) + 1;
    const block = text.readUInt32LE(at + 4);
    at += 12;
    for (let index = 0; index < count; index += 1) {
      const nameLength = text.readUInt16LE(at + 6) + 1;
      const name = text.toString('utf8', at + 8, at + 8 + nameLength);
      await walk(layout, { block, offset: text.readUInt16LE(at) }, posix.join(path, name), found, depth + 1);
      at += 8 + nameLength;
    }
  }
}

type ReadInode = (length: number) => Promise<Buffer>;

async function basicFile(layout: Layout, read: ReadInode, path: string): Promise<FoundFile> {
  const inode = await read(32);
  const [sizeBytes, fragment] = [inode.readUInt32LE(28), inode.readUInt32LE(20)];
  const blockSizes = await blockSizesOf(layout, read, 32, sizeBytes, fragment);
  return { path, sizeBytes, blocksAt: inode.readUInt32LE(16), blockSizes, fragment };
}

async function extendedFile(layout: Layout, read: ReadInode, path: string): Promise<FoundFile> {
  const inode = await read(56);
  const [sizeBytes, fragment] = [Number(inode.readBigUInt64LE(24)), inode.readUInt32LE(44)];
  const blockSizes = await blockSizesOf(layout, read, 56, sizeBytes, fragment);
  return { path, sizeBytes, blocksAt: Number(inode.readBigUInt64LE(16)), blockSizes, fragment };
}

async function blockSizesOf(layout: Layout, read: ReadInode, headBytes: number, sizeBytes: number, fragment: number) {
  const exact = sizeBytes / layout.blockBytes;
  const count = fragment === NO_FRAGMENT ? Math.ceil(exact) : Math.floor(exact);
  if (!(count <= MAX_FILES)) throw malformed(`a file of ${count} blocks`);
  const inode = await read(headBytes + 4 * count);
  return Array.from({ length: count }, (_, index) => {
    return inode.readUInt32LE(headBytes + 4 * index) & (UNCOMPRESSED_DATA - 1);
  });
}

/** Packed sizes of the shared blocks. */
async function readFragments(layout: Layout): Promise<number[]> {
  const count = layout.bytes.readUInt32LE(16);
  if (count > MAX_FILES) throw malformed(`${count} fragments`);
  const index = Number(layout.bytes.readBigUInt64LE(80));
  const perBlock = METADATA_BYTES / 16;
  const sizes: number[] = [];
  for (let first = 0; first < count; first += perBlock) {
    const at = Number(layout.bytes.readBigUInt64LE(index + 8 * (first / perBlock)));
    const length = Math.min(perBlock, count - first);
    const entries = await readTable(layout, at, 0, 16 * length);
    for (let entry = 0; entry < length; entry += 1) {
      sizes.push(entries.readUInt32LE(16 * entry + 8) & (UNCOMPRESSED_DATA - 1));
    }
  }
  return sizes;
}

function weigh(found: readonly FoundFile[], fragments: readonly number[], blockBytes: number): PackedFile[] {
  const tail = (one: FoundFile) => (one.fragment === NO_FRAGMENT ? 0 : one.sizeBytes % blockBytes);
  const inFragment = new Map<number, number>();
  for (const one of found) inFragment.set(one.fragment, (inFragment.get(one.fragment) ?? 0) + tail(one));
  const counted = new Set<number>();
  return found.map((one) => {
    const blocks = one.blockSizes.reduce((sum, size) => sum + size, 0);
    const again = blocks > 0 && counted.has(one.blocksAt);
    if (blocks > 0) counted.add(one.blocksAt);
    const share = tail(one) / (inFragment.get(one.fragment) || 1);
    const shared = share * (fragments[one.fragment] ?? 0);
    return { path: one.path, sizeBytes: one.sizeBytes, packedBytes: Math.round((again ? 0 : blocks) + shared) };
  });
}

const malformed = (why: string) =>
  new SquashfsError('SQUASHFS_MALFORMED', `the squashfs cannot be read: ${why}`, {
    nextStep: 'build the image again: npx cpushare image build',
  });
