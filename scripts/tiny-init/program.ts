/**
 * A list of steps as a program: each step is one system call, and says what it means when the kernel refuses it. A refusal
 * that matters is printed with its code, and the machine starts anew: there is no other way out.
 */
import { assemble, type Instruction, type Value } from './assembler.ts';
import { type Argument, LOWEST_ERROR, type SystemCall, systemCall } from './system-calls.ts';

/** What a person reads when it fails: a code of docs/errors.md and which of several things it was. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
}

export interface Step {
  readonly call: SystemCall;
  readonly with: readonly Argument[];
  /** Keeps the result under this name for later steps. */
  readonly keep?: string;
  /** Absent: a refusal is normal there and the next step is done. */
  readonly orFail?: Failure;
  /** Error number that counts as success. */
  readonly unless?: number;
}

export interface ProgramInput {
  /** Said after each failure. */
  readonly nextStep: string;
  readonly steps: readonly Step[];
  /** What runs after the steps; absent where the last step is one that never returns. */
  readonly afterwards?: readonly Instruction[];
  /** Done before a restart. */
  readonly wipe?: readonly Instruction[];
}

/** Seconds that a failure stays on the screen. */
export const FAILURE_SECONDS = 20;

/** Label for `afterwards`: ends in a restart of the machine. */
export const RESTART = 'restart';

/** Same input, same bytes. */
export function compile(input: ProgramInput): Uint8Array {
  return assemble([
    ...input.steps.flatMap((step, index) => compileStep(step, `step ${index}`)),
    ...(input.afterwards ?? []),
    ...failureRoutine(input.nextStep),
    { op: 'label', name: RESTART },
    ...(input.wipe ?? []),
    ...sleep(FAILURE_SECONDS),
    ...reboot(),
  ]);
}

function compileStep(step: Step, name: string): Instruction[] {
  const done = `${name} done`;
  const keep: Instruction[] = step.keep === undefined ? [] : [{ op: 'store', register: 'rax', variable: step.keep }];
  const tolerate: Instruction[] =
    step.unless === undefined
      ? []
      : [
          { op: 'compare', register: 'rax', value: -step.unless },
          { op: 'jumpIf', is: 'equal', to: done },
        ];
  return [
    ...systemCall(step.call, ...step.with),
    ...keep,
    ...(step.orFail === undefined
      ? []
      : [
          { op: 'compare', register: 'rax', value: LOWEST_ERROR } as const,
          { op: 'jumpIf', is: 'below', to: done } as const,
          ...tolerate,
          ...failWith(step.orFail),
        ]),
    { op: 'label', name: done },
  ];
}

/** Says it and restarts; with the error number in rax, or zero where there is none. */
export function failWith(failure: Failure): Instruction[] {
  const text = `cpushare: error=${failure.code} detail="${failure.detail}, error number `;
  return [
    { op: 'store', register: 'rax', variable: 'errorNumber' },
    { op: 'set', register: 'rax', to: text },
    { op: 'store', register: 'rax', variable: 'message' },
    { op: 'set', register: 'rax', to: lengthOf(text) },
    { op: 'store', register: 'rax', variable: 'messageBytes' },
    { op: 'jump', to: FAIL },
  ];
}

const FAIL = 'fail';
const SERIAL = '/dev/ttyS0';
const O_WRONLY_NOCTTY_NONBLOCK = 0o1 | 0o400 | 0o4000;
const STANDARD_ERROR = 2;

/** To the console, and to the first serial line where one is. */
function failureRoutine(nextStep: string): Instruction[] {
  const end = `" next="${nextStep}"\r\n`;
  const say = (to: Argument): Instruction[] => [
    ...systemCall('write', to, { kept: 'message' }, { kept: 'messageBytes' }),
    ...systemCall('write', to, { variable: 'digits' }, 3),
    ...systemCall('write', to, end, lengthOf(end)),
  ];
  return [
    { op: 'label', name: FAIL },
    ...threeDigits('errorNumber', 'digits'),
    ...say(STANDARD_ERROR),
    ...systemCall('open', SERIAL, O_WRONLY_NOCTTY_NONBLOCK, 0),
    { op: 'store', register: 'rax', variable: 'serial' },
    ...say({ kept: 'serial' }),
  ];
}

/** Error numbers of the kernel have at most three digits; the variable holds one negated. */
function threeDigits(from: string, to: string): Instruction[] {
  const place = (divisor: number, at: number): Instruction[] => [
    { op: 'set', register: 'rcx', to: divisor },
    { op: 'set', register: 'rdx', to: 0 },
    { op: 'divideBy', register: 'rcx' },
    { op: 'add', register: 'rax', value: 0x30 },
    { op: 'storeByte', register: 'rax', variable: to, at },
    // The remainder is the next place's number.
    { op: 'store', register: 'rdx', variable: from },
    { op: 'load', register: 'rax', variable: from },
  ];
  return [
    { op: 'load', register: 'rax', variable: from },
    { op: 'negate', register: 'rax' },
    ...place(100, 0),
    ...place(10, 1),
    ...place(1, 2),
  ];
}

export function sleep(seconds: number, milliseconds = 0): Instruction[] {
  return systemCall('nanosleep', timespec(seconds, milliseconds), 0);
}

function timespec(seconds: number, milliseconds: number): Value {
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64LE(BigInt(seconds), 0);
  bytes.writeBigInt64LE(BigInt(milliseconds) * 1_000_000n, 8);
  return new Uint8Array(bytes);
}

/** reboot(2) with LINUX_REBOOT_CMD_RESTART. Should the kernel refuse, PID 1 ends, and `panic=` restarts the machine. */
function reboot(): Instruction[] {
  return [...systemCall('reboot', 0xfee1_dead, 672274793, 0x0123_4567, 0), ...systemCall('exit', 1)];
}

function lengthOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
