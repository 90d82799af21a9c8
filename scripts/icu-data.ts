/**
 * Debian's ICU data library with only the items that the image asks for. libicudata is one ELF object whose symbol
 * `icudtNN_dat` is a common data package (ICU: "ICU Data", format CmnD): a table of names and offsets, then the items.
 * The chosen items are packed together byte for byte, what follows becomes zeros, and squashfs stores zeros as nothing.
 */
import { CodedError } from '../src/shared/errors.ts';
import { isElf } from './elf.ts';
import { globToRegExp } from './glob.ts';

export class IcuDataError extends CodedError<'ICU_DATA_MALFORMED' | 'ICU_ITEM_UNKNOWN'> {}

/** Debian's file name of the library, without folder. */
export const ICU_DATA_LIBRARY = /^libicudata\.so\.\d+\.\d+$/;

const SHT_DYNSYM = 11;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
/** Items start at multiples of this, as ICU's own packager lays them. */
const ALIGNMENT = 16;
const MAX_ITEMS = 100_000;

interface Item {
  /** With the package's prefix, as `icudt76l/en.res`. */
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The library with the items that match, of the same length.
 * @param keep globs over names without the package's prefix, as `coll/root.res`; each must match something
 * @throws IcuDataError
 */
export function keepIcuItems(library: Uint8Array, keep: readonly string[]): Uint8Array {
  const bytes = Buffer.from(library.buffer, library.byteOffset, library.byteLength);
  try {
    const { start, end } = dataRange(bytes);
    const { header, items } = readPackage(bytes.subarray(start, end));
    const chosen = chosenItems(items, keep);
    const packed = packItems(header, chosen);
    const result = Buffer.from(bytes);
    result.fill(0, start, end);
    packed.copy(result, start);
    return result;
  } catch (cause) {
    if (cause instanceof RangeError) throw malformed('a table points outside the file');
    throw cause;
  }
}

/** Where the one symbol `icudtNN_dat` lies in the file: Debian links it at equal address and file offset. */
function dataRange(bytes: Buffer): { start: number; end: number } {
  if (!isElf(bytes) || bytes[4] !== 2 || bytes[5] !== 1) throw malformed('not a 64-bit little-endian ELF file');
  const table = Number(bytes.readBigUInt64LE(40));
  const sections = Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => {
    const at = table + index * SECTION_HEADER_BYTES;
    return {
      type: bytes.readUInt32LE(at + 4),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      sizeBytes: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
    };
  });
  const symbols = sections.find(({ type }) => type === SHT_DYNSYM);
  const names = sections[symbols?.link ?? -1];
  if (symbols === undefined || names === undefined) throw malformed('no symbol table');
  for (let at = symbols.offset; at + SYMBOL_BYTES <= symbols.offset + symbols.sizeBytes; at += SYMBOL_BYTES) {
    if (!/^icudt\d+_dat$/.test(nameAt(bytes, names.offset + bytes.readUInt32LE(at)))) continue;
    const home = sections[bytes.readUInt16LE(at + 6)];
    if (home === undefined) break;
    const start = home.offset + Number(bytes.readBigUInt64LE(at + 8)) - home.address;
    const end = start + Number(bytes.readBigUInt64LE(at + 16));
    if (start >= 0 && start < end && end <= bytes.length) return { start, end };
  }
  throw malformed('no symbol icudtNN_dat inside the file');
}

function readPackage(data: Buffer): { header: Buffer; items: Item[] } {
  const headerBytes = data.readUInt16LE(0);
  const isPackage = data.readUInt16LE(2) === 0x27da && data.toString('latin1', 12, 16) === 'CmnD';
  if (!isPackage || headerBytes < 24) throw malformed('its data is no common data package');
  const contents = data.subarray(headerBytes);
  const count = contents.readUInt32LE(0);
  if (count > MAX_ITEMS) throw malformed(`${count} items`);
  const starts = Array.from({ length: count }, (_, index) => contents.readUInt32LE(8 + 8 * index));
  const items = starts.map((start, index) => {
    const end = starts[index + 1] ?? contents.length;
    if (start > end || end > contents.length) throw malformed(`item ${index} ends before it starts or outside`);
    return { name: nameAt(contents, contents.readUInt32LE(4 + 8 * index)), content: contents.subarray(start, end) };
  });
  return { header: data.subarray(0, headerBytes), items };
}

function chosenItems(items: readonly Item[], keep: readonly string[]): Item[] {
  const patterns = keep.map((glob) => ({ glob, pattern: globToRegExp(glob), used: false }));
  const chosen = items.filter(({ name }) => {
    const own = name.slice(name.indexOf('/') + 1);
    const matching = patterns.filter(({ pattern }) => pattern.test(own));
    for (const one of matching) one.used = true;
    return matching.length > 0;
  });
  const idle = patterns.find(({ used }) => !used);
  if (idle === undefined) return chosen;
  throw new IcuDataError('ICU_ITEM_UNKNOWN', `the locked ICU data holds no item ${idle.glob}`, {
    nextStep: 'correct icuData in image/image.json and run: npx cpushare image lock',
  });
}

function packItems(header: Buffer, items: readonly Item[]): Buffer {
  const names = items.map(({ name }) => Buffer.from(`${name}\0`, 'latin1'));
  const tableBytes = 4 + 8 * items.length;
  // Data starts aligned in the file, where the header comes before the table.
  const aligned = (offset: number) => Math.ceil((header.length + offset) / ALIGNMENT) * ALIGNMENT - header.length;
  let nameAt = tableBytes;
  let dataAt = aligned(names.reduce((sum, name) => sum + name.length, tableBytes));
  const total = items.reduce((end, { content }) => aligned(end) + content.length, dataAt);
  const packed = Buffer.alloc(header.length + total);
  header.copy(packed);
  const body = packed.subarray(header.length);
  body.writeUInt32LE(items.length, 0);
  items.forEach(({ content }, index) => {
    const name = names[index] ?? Buffer.alloc(0);
    dataAt = aligned(dataAt);
    body.writeUInt32LE(nameAt, 4 + 8 * index);
    body.writeUInt32LE(dataAt, 8 + 8 * index);
    name.copy(body, nameAt);
    content.copy(body, dataAt);
    nameAt += name.length;
    dataAt += content.length;
  });
  return packed;
}

function nameAt(bytes: Buffer, start: number): string {
  const end = start < 0 || start >= bytes.length ? -1 : bytes.indexOf(0, start);
  if (end === -1 || end - start > 255) throw malformed('a name without an end');
  return bytes.toString('latin1', start, end);
}

const malformed = (why: string) =>
  new IcuDataError('ICU_DATA_MALFORMED', `libicudata: ${why}`, {
    nextStep: 'the file comes from a locked package: delete the package cache and build again',
  });
