/**
 * PE32+ files as firmware and shim see them: the Authenticode digest that a TPM is extended with, and named sections.
 * Microsoft PE Format ("Optional Header", "Section Table"), Windows Authenticode Portable Executable Signature Format
 * ("Calculating the PE Image Hash"). Strict: a file that can be read in two ways is refused, not guessed at.
 */
import { createHash } from 'node:crypto';
import { CodedError } from '../src/shared/errors.ts';

export class PeError extends CodedError<'PE_MALFORMED' | 'PE_SECTION_MISSING'> {}

interface PeSection {
  readonly name: string;
  readonly rawOffset: number;
  readonly rawSize: number;
  /** Bytes that belong to the section; the rest of `rawSize` is file alignment. */
  readonly dataSize: number;
}

interface PeLayout {
  readonly checksumOffset: number;
  readonly certificateEntryOffset: number;
  readonly headersSize: number;
  readonly sections: readonly PeSection[];
  /** Where the attribute certificate table starts; the end of the file when there is none. */
  readonly signedEnd: number;
}

const MAX_FILE_BYTES = 256 * 1024 * 1024;
const MAX_SECTIONS = 96;
const CHECKSUM_IN_OPTIONAL_HEADER = 64;
const CERTIFICATE_ENTRY_IN_OPTIONAL_HEADER = 144;
const OPTIONAL_HEADER_MIN = 152;

/** What UEFI measures into PCR 4 for this file, and what its signature covers. @throws PeError PE_MALFORMED */
export function authenticodeSha256(file: Uint8Array): string {
  const pe = layoutOf(file);
  const hash = createHash('sha256');
  hash.update(file.subarray(0, pe.checksumOffset));
  hash.update(file.subarray(pe.checksumOffset + 4, pe.certificateEntryOffset));
  hash.update(file.subarray(pe.certificateEntryOffset + 8, pe.headersSize));
  let hashed = pe.headersSize;
  for (const section of pe.sections) {
    hash.update(file.subarray(section.rawOffset, section.rawOffset + section.rawSize));
    hashed += section.rawSize;
  }
  // Bytes behind the last section (symbols, strings) count too, all but the certificates themselves.
  hash.update(file.subarray(hashed, pe.signedEnd));
  return hash.digest('hex');
}

/** The content of a section, by its full name (`.vendor_cert`, `.sbat`). @throws PeError */
export function readSection(file: Uint8Array, name: string): Uint8Array {
  const sections = layoutOf(file).sections;
  const found = sections.filter((section) => section.name === name);
  const [section] = found;
  if (section === undefined || found.length > 1) {
    const names = sections.map((one) => one.name).join(' ');
    const many = found.length > 1 ? `${found.length} sections` : 'no section';
    throw new PeError('PE_SECTION_MISSING', `PE file has ${many} named ${name}; its sections are: ${names}`);
  }
  return file.subarray(section.rawOffset, section.rawOffset + section.dataSize);
}

function layoutOf(file: Uint8Array): PeLayout {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const need = (offset: number, size: number, what: string): number => {
    if (offset + size > file.length) throw malformed(`${what} at byte ${offset} passes the end, ${file.length}`);
    return offset;
  };
  if (file.length > MAX_FILE_BYTES) throw malformed(`${file.length} bytes are more than any boot file has`);
  if (view.getUint16(need(0, 64, 'DOS header'), true) !== 0x5a4d) throw malformed('no MZ signature at byte 0');
  const coff = need(view.getUint32(60, true), 24, 'PE header');
  if (view.getUint32(coff, true) !== 0x00004550) throw malformed(`no PE signature at byte ${coff}`);
  const sectionCount = view.getUint16(coff + 6, true);
  const optionalSize = view.getUint16(coff + 20, true);
  const optional = need(coff + 24, optionalSize, 'optional header');
  if (optionalSize < OPTIONAL_HEADER_MIN) throw malformed(`optional header of ${optionalSize} bytes is too short`);
  if (view.getUint16(optional, true) !== 0x20b) throw malformed('not PE32+ (a 64-bit image)');
  if (view.getUint32(optional + 108, true) < 5) throw malformed('no data directory for certificates');
  if (sectionCount > MAX_SECTIONS) throw malformed(`${sectionCount} sections, at most ${MAX_SECTIONS} allowed`);
  const table = need(optional + optionalSize, sectionCount * 40, 'section table');
  const headersSize = need(view.getUint32(optional + 60, true), 0, 'end of headers');
  if (headersSize < table + sectionCount * 40) throw malformed(`headers of ${headersSize} bytes cut the section table`);
  const certificateEntryOffset = optional + CERTIFICATE_ENTRY_IN_OPTIONAL_HEADER;
  const signedEnd = certificateStart(file, view, certificateEntryOffset);
  const longName = longNames(file, view, coff);
  const sections = Array.from({ length: sectionCount }, (_, index) => sectionAt(view, table + 40 * index, longName))
    .filter((section) => section.rawSize > 0)
    .sort((a, b) => a.rawOffset - b.rawOffset);
  refuseGaps(sections, headersSize, signedEnd);
  return {
    checksumOffset: optional + CHECKSUM_IN_OPTIONAL_HEADER,
    certificateEntryOffset,
    headersSize,
    sections,
    signedEnd,
  };
}

/** The certificate table must be the file's tail: bytes behind it would be neither hashed nor signed. */
function certificateStart(file: Uint8Array, view: DataView, entry: number): number {
  const offset = view.getUint32(entry, true);
  const size = view.getUint32(entry + 4, true);
  if (size === 0) return file.length;
  if (offset + size !== file.length) {
    throw malformed(`certificate table ends at byte ${offset + size}, the file at ${file.length}`);
  }
  return offset;
}

/**
 * Firmware hashes headers, then sections in file order, then the tail counted from the sum of what it hashed. That is
 * "the whole file" only without gaps and overlaps, so nothing else is accepted.
 */
function refuseGaps(sections: readonly PeSection[], headersSize: number, signedEnd: number): void {
  let end = headersSize;
  for (const section of sections) {
    if (section.rawOffset !== end)
      throw malformed(`section ${section.name} starts at ${section.rawOffset}, not ${end}`);
    end += section.rawSize;
  }
  if (end > signedEnd) throw malformed(`sections end at ${end}, behind the signed part (${signedEnd})`);
}

function sectionAt(view: DataView, at: number, longName: (offset: number) => string): PeSection {
  const virtualSize = view.getUint32(at + 8, true);
  const rawSize = view.getUint32(at + 16, true);
  const short = latin(new Uint8Array(view.buffer, view.byteOffset + at, 8));
  const name = /^\/\d+$/.test(short) ? longName(Number(short.slice(1))) : short;
  return { name, rawSize, rawOffset: view.getUint32(at + 20, true), dataSize: Math.min(virtualSize, rawSize) };
}

/** COFF string table, right behind the symbol table: names longer than eight bytes are written `/OFFSET`. */
function longNames(file: Uint8Array, view: DataView, coff: number): (offset: number) => string {
  const strings = view.getUint32(coff + 12, true) + 18 * view.getUint32(coff + 16, true);
  return (offset) => {
    const start = strings + offset;
    if (start >= file.length) throw malformed(`section name at byte ${start} passes the end, ${file.length}`);
    return latin(file.subarray(start, start + 64));
  };
}

function latin(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

function malformed(why: string): PeError {
  return new PeError('PE_MALFORMED', `not a PE file as this chain boots it: ${why}`);
}
