/** System calls of Linux on x86-64 as instructions: numbers from arch/x86/entry/syscalls/syscall_64.tbl. */
import type { Instruction, Register, Value } from './assembler.ts';

const NUMBERS = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  rt_sigprocmask: 14,
  ioctl: 16,
  dup2: 33,
  nanosleep: 35,
  socket: 41,
  fork: 57,
  execve: 59,
  exit: 60,
  wait4: 61,
  kill: 62,
  chdir: 80,
  mkdir: 83,
  unlink: 87,
  setsid: 112,
  prctl: 157,
  chroot: 161,
  mount: 165,
  umount2: 166,
  reboot: 169,
  sethostname: 170,
  clock_gettime: 228,
  prlimit64: 302,
  finit_module: 313,
} as const;
export type SystemCall = keyof typeof NUMBERS;

export const ERRNO = { noEntry: 2, exists: 17 } as const;

const ARGUMENTS: readonly Register[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];

/** An argument that an earlier step kept. */
export interface Kept {
  readonly kept: string;
}
export type Argument = Value | Kept;

/** The result, or an error number below zero, is in rax afterwards. */
export function systemCall(name: SystemCall, ...given: readonly Argument[]): Instruction[] {
  return [
    ...given.map((argument, index): Instruction => {
      const register = ARGUMENTS[index];
      if (register === undefined) throw new Error(`${name} with ${given.length} arguments`);
      if (typeof argument === 'object' && 'kept' in argument) return { op: 'load', register, variable: argument.kept };
      return { op: 'set', register, to: argument };
    }),
    { op: 'set', register: 'rax', to: NUMBERS[name] },
    { op: 'systemCall' },
  ];
}

/** The kernel answers with an error number as -4095 … -1, which is the top of the unsigned numbers. */
export const LOWEST_ERROR = -4095;
