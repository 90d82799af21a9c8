/**
 * Just the x86-64 instructions that a list of system calls needs, from data to bytes. Addresses are absolute and below
 * 2 GiB, so each instruction's size is known before any address is. Intel SDM volume 2.
 */
import { CODE_OFFSET, LOAD_ADDRESS, VARIABLES_ADDRESS, writeElf } from './elf-writer.ts';

const REGISTERS = { rax: 0, rcx: 1, rdx: 2, rsi: 6, rdi: 7, r8: 8, r9: 9, r10: 10 } as const;
export type Register = keyof typeof REGISTERS;

/** What a register is set to: a number, or the address of a constant or of a variable. */
export type Value =
  | number
  /** Text, ended by a zero byte. */
  | string
  | Uint8Array
  /** Addresses one after another, ended by a zero: argv and envp. */
  | { readonly pointers: readonly string[] }
  | { readonly variable: string };

/** A variable has 64 bytes, all zero at the start. */
export type Instruction =
  | { readonly op: 'label'; readonly name: string }
  | { readonly op: 'set'; readonly register: Register; readonly to: Value }
  | {
      readonly op: 'load' | 'store' | 'storeByte';
      readonly register: Register;
      readonly variable: string;
      readonly at?: number;
    }
  | { readonly op: 'add' | 'compare'; readonly register: Register; readonly value: number }
  | { readonly op: 'subtract' | 'compareRegisters'; readonly register: Register; readonly other: Register }
  | { readonly op: 'negate' | 'divideBy'; readonly register: Register }
  | { readonly op: 'jump' | 'call'; readonly to: string }
  | { readonly op: 'jumpIf'; readonly is: Condition; readonly to: string }
  | { readonly op: 'return' | 'systemCall' };

/** Unsigned comparisons, after `compare`. */
const CONDITIONS = { equal: 0x84, unequal: 0x85, below: 0x82, notBelow: 0x83 } as const;
export type Condition = keyof typeof CONDITIONS;

const VARIABLE_BYTES = 64;

/** Same instructions, same bytes. @throws Error when a label is missing or there twice: a fault of the program */
export function assemble(program: readonly Instruction[]): Uint8Array {
  const labels = new Map<string, number>();
  let at = LOAD_ADDRESS + CODE_OFFSET;
  for (const instruction of program) {
    if (instruction.op === 'label') {
      if (labels.has(instruction.name)) throw new Error(`two labels are named ${instruction.name}`);
      labels.set(instruction.name, at);
    }
    at += encode(instruction, 0, { labels: () => 0, constant: () => 0, variable: () => 0 }).length;
  }
  const constants = createConstants(align(at));
  const variables = createVariables();
  const addresses: Addresses = {
    labels: (name) => labels.get(name) ?? missing(name),
    constant: constants.addressOf,
    variable: variables.addressOf,
  };
  const code: number[] = [];
  for (const instruction of program) {
    code.push(...encode(instruction, LOAD_ADDRESS + CODE_OFFSET + code.length, addresses));
  }
  while ((LOAD_ADDRESS + CODE_OFFSET + code.length) % 8 !== 0) code.push(0);
  return writeElf({
    codeAndConstants: Uint8Array.from([...code, ...constants.bytes()]),
    variableBytes: Math.max(VARIABLE_BYTES, variables.bytes()),
  });
}

interface Addresses {
  labels(name: string): number;
  constant(value: string | Uint8Array | { readonly pointers: readonly string[] }): number;
  variable(name: string): number;
}

function encode(instruction: Instruction, at: number, addresses: Addresses): number[] {
  switch (instruction.op) {
    case 'label':
      return [];
    case 'set': {
      const { register, to } = instruction;
      if (typeof to === 'number' && (to < 0 || to > 0xffff_ffff)) return [...wide(register, 0xc7, 0), ...int32(to)];
      const number = typeof to === 'number' ? to : addressOf(to, addresses);
      const code = REGISTERS[register];
      return [...(code > 7 ? [0x41] : []), 0xb8 + (code & 7), ...int32(number)];
    }
    case 'load':
    case 'store':
    case 'storeByte': {
      const opcode = { load: 0x8b, store: 0x89, storeByte: 0x88 }[instruction.op];
      const code = REGISTERS[instruction.register];
      const address = addresses.variable(instruction.variable) + (instruction.at ?? 0);
      // ModRM and SIB of an absolute 32-bit address.
      return [0x48 | (code > 7 ? 4 : 0), opcode, ((code & 7) << 3) | 4, 0x25, ...int32(address)];
    }
    case 'add':
      return [...wide(instruction.register, 0x81, 0), ...int32(instruction.value)];
    case 'compare':
      return [...wide(instruction.register, 0x81, 7), ...int32(instruction.value)];
    case 'subtract':
      return wide(instruction.register, 0x29, REGISTERS[instruction.other]);
    case 'compareRegisters':
      return wide(instruction.register, 0x39, REGISTERS[instruction.other]);
    case 'negate':
      return wide(instruction.register, 0xf7, 3);
    case 'divideBy':
      return wide(instruction.register, 0xf7, 6);
    case 'jump':
      return [0xe9, ...int32(addresses.labels(instruction.to) - (at + 5))];
    case 'call':
      return [0xe8, ...int32(addresses.labels(instruction.to) - (at + 5))];
    case 'jumpIf':
      return [0x0f, CONDITIONS[instruction.is], ...int32(addresses.labels(instruction.to) - (at + 6))];
    case 'return':
      return [0xc3];
    case 'systemCall':
      return [0x0f, 0x05];
    default:
      return instruction satisfies never;
  }
}

/** REX.W, opcode and ModRM for a register; `extension` is the other register or a part of the opcode. */
function wide(register: Register, opcode: number, extension: number): number[] {
  const code = REGISTERS[register];
  const rex = 0x48 | (code > 7 ? 1 : 0) | (extension > 7 ? 4 : 0);
  return [rex, opcode, 0xc0 | ((extension & 7) << 3) | (code & 7)];
}

function int32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
}

function addressOf(value: Exclude<Value, number>, addresses: Addresses): number {
  if (typeof value === 'object' && 'variable' in value) return addresses.variable(value.variable);
  return addresses.constant(value);
}

/** Constants lie behind the code, equal ones once, in the order of their first use. */
function createConstants(start: number) {
  const known = new Map<string, number>();
  const bytes: number[] = [];
  const place = (key: string, content: Iterable<number>): number => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const address = start + bytes.length;
    known.set(key, address);
    bytes.push(...content);
    while (bytes.length % 8 !== 0) bytes.push(0);
    return address;
  };
  const addressOf: Addresses['constant'] = (value) => {
    if (typeof value === 'string') return place(`text ${value}`, [...new TextEncoder().encode(value), 0]);
    if (value instanceof Uint8Array) return place(`bytes ${value.join()}`, value);
    const targets = [...value.pointers.map(addressOf), 0];
    return place(
      `pointers ${targets.join()}`,
      targets.flatMap((target) => [...int32(target), 0, 0, 0, 0]),
    );
  };
  return { addressOf, bytes: () => bytes };
}

function createVariables() {
  const known = new Map<string, number>();
  const addressOf = (name: string): number => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const address = VARIABLES_ADDRESS + known.size * VARIABLE_BYTES;
    known.set(name, address);
    return address;
  };
  return { addressOf, bytes: () => known.size * VARIABLE_BYTES };
}

function align(address: number): number {
  return Math.ceil(address / 8) * 8;
}

function missing(name: string): never {
  throw new Error(`no label is named ${name}`);
}
