/**
 * The smallest ELF program that Linux starts: 64-bit, static, at fixed addresses, without sections. One segment holds the
 * headers, the code and the constants (read, execute), one the variables (read, write, all zero). System V ABI, chapter 5.
 */

export const LOAD_ADDRESS = 0x40_0000;
export const VARIABLES_ADDRESS = 0x60_0000;

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PROGRAM_HEADERS = 3;
/** Where the code begins, in the file and behind LOAD_ADDRESS. */
export const CODE_OFFSET = ELF_HEADER_BYTES + PROGRAM_HEADERS * PROGRAM_HEADER_BYTES;

const PT_LOAD = 1;
/** Its flags say that the stack is not executable. */
const PT_GNU_STACK = 0x6474_e551;
const [EXECUTE, WRITE, READ] = [1, 2, 4];
const PAGE_BYTES = 4096;

export interface ElfInput {
  /** Starts at LOAD_ADDRESS + CODE_OFFSET; its first byte is the program's first instruction. */
  readonly codeAndConstants: Uint8Array;
  readonly variableBytes: number;
}

export function writeElf({ codeAndConstants, variableBytes }: ElfInput): Uint8Array {
  const fileBytes = CODE_OFFSET + codeAndConstants.length;
  const file = new Uint8Array(fileBytes);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little endian, version 1
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true); // EV_CURRENT
  view.setBigUint64(24, BigInt(LOAD_ADDRESS + CODE_OFFSET), true); // entry
  view.setBigUint64(32, BigInt(ELF_HEADER_BYTES), true); // program headers
  view.setUint16(52, ELF_HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, PROGRAM_HEADERS, true);
  view.setUint16(58, 64, true); // size of a section header; there are none
  const segments = [
    { type: PT_LOAD, flags: READ | EXECUTE, address: LOAD_ADDRESS, fileBytes, memoryBytes: fileBytes },
    { type: PT_LOAD, flags: READ | WRITE, address: VARIABLES_ADDRESS, fileBytes: 0, memoryBytes: variableBytes },
    { type: PT_GNU_STACK, flags: READ | WRITE, address: 0, fileBytes: 0, memoryBytes: 0 },
  ];
  for (const [index, segment] of segments.entries()) {
    const at = ELF_HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    // The offset in the file stays 0: it must equal the address modulo the page size, and all ours are whole pages.
    view.setBigUint64(at + 16, BigInt(segment.address), true);
    view.setBigUint64(at + 24, BigInt(segment.address), true);
    view.setBigUint64(at + 32, BigInt(segment.fileBytes), true);
    view.setBigUint64(at + 40, BigInt(segment.memoryBytes), true);
    view.setBigUint64(at + 48, BigInt(PAGE_BYTES), true);
  }
  file.set(codeAndConstants, CODE_OFFSET);
  return file;
}
