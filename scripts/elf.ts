/**
 * Which shared libraries an ELF file asks for: DT_NEEDED of its dynamic section (System V ABI, chapter 5). 64-bit little
 * endian only, which is all that amd64 packages hold. Nothing of the file is run.
 */
import { CodedError } from '../src/shared/errors.ts';

export class ElfError extends CodedError<'ELF_MALFORMED'> {}

export interface ElfFacts {
  /** DT_NEEDED, in the file's order. */
  readonly needed: readonly string[];
  /** PT_INTERP: the dynamic loader, or null for libraries and static programs. */
  readonly interpreter: string | null;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const MAX_NEEDED = 1000;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** @param name only for messages. @throws ElfError */
export function readElf(bytes: Uint8Array, name: string): ElfFacts {
  if (!isElf(bytes) || bytes[4] !== 2 || bytes[5] !== 1) throw malformed(name, 'not a 64-bit little-endian ELF file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const segments = readSegments(view);
    const interpreter = segments.find(({ type }) => type === PT_INTERP);
    return {
      needed: readNeeded(view, segments),
      interpreter: interpreter === undefined ? null : textAt(bytes, interpreter.offset, interpreter.sizeBytes),
    };
  } catch (cause) {
    if (cause instanceof RangeError) throw malformed(name, 'a table points outside the file');
    throw cause instanceof ElfError ? malformed(name, cause.message) : cause;
  }
}

function readSegments(view: DataView): Segment[] {
  const tableOffset = offsetAt(view, 32);
  const entrySize = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (count > 0 && entrySize < 56) throw new ElfError('ELF_MALFORMED', `program headers of ${entrySize} bytes`);
  return Array.from({ length: count }, (_, index) => {
    const at = tableOffset + index * entrySize;
    return {
      type: view.getUint32(at, true),
      offset: offsetAt(view, at + 8),
      address: offsetAt(view, at + 16),
      sizeBytes: offsetAt(view, at + 32),
    };
  });
}

function readNeeded(view: DataView, segments: readonly Segment[]): string[] {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return []; // static
  const neededOffsets: number[] = [];
  let tableAddress: number | undefined;
  let tableSize = 0;
  for (let at = dynamic.offset; at + 16 <= dynamic.offset + dynamic.sizeBytes; at += 16) {
    const tag = view.getBigInt64(at, true);
    if (tag === 0n) break;
    const value = offsetAt(view, at + 8);
    if (tag === BigInt(DT_NEEDED)) neededOffsets.push(value);
    if (tag === BigInt(DT_STRTAB)) tableAddress = value;
    if (tag === BigInt(DT_STRSZ)) tableSize = value;
  }
  if (neededOffsets.length === 0) return [];
  if (neededOffsets.length > MAX_NEEDED)
    throw new ElfError('ELF_MALFORMED', `${neededOffsets.length} libraries needed`);
  const table = fileOffset(segments, tableAddress);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return neededOffsets.map((offset) => {
    if (offset >= tableSize) throw new ElfError('ELF_MALFORMED', 'a library name lies outside the string table');
    return textAt(bytes, table + offset, tableSize - offset);
  });
}

/** Dynamic entries hold addresses in memory; the loadable segment around one says where it lies in the file. */
function fileOffset(segments: readonly Segment[], address: number | undefined): number {
  const home = segments.find(
    ({ type, address: start, sizeBytes }) =>
      address !== undefined && type === PT_LOAD && address >= start && address < start + sizeBytes,
  );
  if (home === undefined || address === undefined) throw new ElfError('ELF_MALFORMED', 'no string table in the file');
  return home.offset + (address - home.address);
}

function textAt(bytes: Uint8Array, offset: number, limit: number): string {
  const end = bytes.indexOf(0, offset);
  if (end === -1 || end - offset > limit) throw new ElfError('ELF_MALFORMED', 'a name without an end');
  return String.fromCharCode(...bytes.subarray(offset, end));
}

/** 64-bit fields beyond 2^53 cannot be offsets of a real file. */
function offsetAt(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

const malformed = (name: string, why: string, cause?: unknown) =>
  new ElfError('ELF_MALFORMED', `${name}: ${why}`, {
    cause,
    nextStep: 'the file comes from a locked package: delete the package cache and build again',
  });
