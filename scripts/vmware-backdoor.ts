/**
 * The one instruction that Node.js cannot make: `in eax, dx` on VMware's backdoor port. VMware answers it from any program,
 * also where the kernel is locked down and grants no port to anybody; everywhere else the program ends by a fault. It takes
 * ebx, ecx, edx, esi and edi as 20 bytes from its input and puts them there again after the call. Command and port are set
 * here: nothing else can be asked for (src/sell-client/configuration/rpci.ts speaks through it).
 */
import { VARIABLES_ADDRESS, writeElf } from './tiny-init/elf-writer.ts';

const MAGIC = 0x564d5868; // 'VMXh'
const MESSAGE = 0x1e;
const PORT = 0x5658;
const FRAME_BYTES = 20;
const IN_EAX_DX = [0xed];

/** ModRM of [absolute address]: with a SIB byte, as 64-bit code needs it. */
const FIELDS = [
  { field: 0, modrm: 0x1c }, // ebx
  { field: 4, modrm: 0x0c }, // ecx
  { field: 8, modrm: 0x14 }, // edx
  { field: 12, modrm: 0x34 }, // esi
  { field: 16, modrm: 0x3c }, // edi
];

export interface BackdoorVariant {
  /** In place of the call itself, for tests where no hypervisor answers. */
  readonly call?: readonly number[];
}

/** The same each time. */
export function vmwareBackdoor({ call = IN_EAX_DX }: BackdoorVariant = {}): Uint8Array {
  const body = [
    ...systemCall(0, 0), // read
    ...[0x83, 0xf8, FRAME_BYTES], // cmp eax, 20
    ...[0x75, 0], // jne end, patched below
    ...FIELDS.flatMap(({ field, modrm }) => [0x8b, modrm, 0x25, ...int32(VARIABLES_ADDRESS + field)]),
    ...[0x66, 0xb9, MESSAGE, 0], // mov cx
    ...[0x66, 0xba, PORT & 0xff, PORT >> 8], // mov dx
    ...[0xb8, ...int32(MAGIC)], // mov eax
    ...call,
    ...FIELDS.flatMap(({ field, modrm }) => [0x89, modrm, 0x25, ...int32(VARIABLES_ADDRESS + field)]),
    ...systemCall(1, 1), // write
  ];
  const jump = systemCall(0, 0).length + 4;
  const again = [0xe9, ...int32(-(body.length + 5))];
  body[jump] = body.length + again.length - (jump + 1);
  const end = [0xb8, ...int32(60), 0x31, 0xff, 0x0f, 0x05]; // exit(0)
  const code = [...body, ...again, ...end];
  return writeElf({ codeAndConstants: Uint8Array.from(code), variableBytes: 64 });
}

/** NUMBER(fd, frame, 20) */
function systemCall(number: number, fd: number): number[] {
  return [
    ...[0xb8, ...int32(number)],
    ...[0xbf, ...int32(fd)],
    ...[0xbe, ...int32(VARIABLES_ADDRESS)],
    ...[0xba, ...int32(FRAME_BYTES)],
    ...[0x0f, 0x05],
  ];
}

function int32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
}
