/**
 * PID 1's life: starts each service, takes in every process that lost its parent, and starts a service again when it ends.
 * One that ends again and again restarts the machine.
 */
import type { Instruction } from './assembler.ts';
import { type Failure, failWith, RESTART, sleep } from './program.ts';
import { type Argument, LOWEST_ERROR, systemCall } from './system-calls.ts';

export interface Service {
  readonly program: string;
  readonly arguments: readonly string[];
  /** `NAME=value` */
  readonly environment: readonly string[];
  /** Its standard input; output and errors go to the console, or there too when it is a terminal of its own. */
  readonly input: string;
  readonly ownTerminal: boolean;
  /** When it cannot be started, or ended MAX_QUICK_ENDS times in a row. */
  readonly orFail: Failure;
}

/** A service ends with this status when the machine must start anew. src/sell-client/closed/guard.ts has the same. */
export const RESTART_STATUS = 70;
export const MAX_QUICK_ENDS = 5;
const QUICK_SECONDS = 60;

export function keepServices(services: readonly Service[]): Instruction[] {
  return [
    ...services.map((_, index): Instruction => ({ op: 'call', to: start(index) })),
    { op: 'label', name: 'reap' },
    ...systemCall('wait4', -1, { variable: 'status' }, 0, 0),
    ...services.flatMap((_, index): Instruction[] => [
      { op: 'load', register: 'rcx', variable: pid(index) },
      { op: 'compareRegisters', register: 'rax', other: 'rcx' },
      { op: 'jumpIf', is: 'equal', to: ended(index) },
    ]),
    { op: 'jump', to: 'reap' },
    ...services.flatMap((service, index) => [...startRoutine(service, index), ...endRoutine(service, index)]),
  ];
}

const start = (index: number) => `start ${index}`;
const ended = (index: number) => `ended ${index}`;
const pid = (index: number) => `pid ${index}`;
const startedAt = (index: number) => `started at ${index}`;
const quickEnds = (index: number) => `quick ends ${index}`;
const CLOCK_MONOTONIC = 1;

function startRoutine(service: Service, index: number): Instruction[] {
  const parent = `parent of ${index}`;
  const child = `child ${index}`;
  return [
    { op: 'label', name: start(index) },
    ...systemCall('clock_gettime', CLOCK_MONOTONIC, { variable: startedAt(index) }),
    ...systemCall('fork'),
    { op: 'compare', register: 'rax', value: 0 },
    { op: 'jumpIf', is: 'equal', to: child },
    { op: 'compare', register: 'rax', value: LOWEST_ERROR },
    { op: 'jumpIf', is: 'below', to: parent },
    ...failWith(service.orFail),
    { op: 'label', name: parent },
    { op: 'store', register: 'rax', variable: pid(index) },
    { op: 'return' },
    { op: 'label', name: child },
    ...becomeService(service),
  ];
}

const O_RDWR = 2;
const O_NOCTTY = 0o400;

/** A session of its own, so that no terminal is its controlling one unless it is meant to be. */
function becomeService(service: Service): Instruction[] {
  const stdio: readonly number[] = service.ownTerminal ? [0, 1, 2] : [0];
  const input: Argument = { kept: 'input' };
  return [
    ...systemCall('setsid'),
    ...systemCall('open', service.input, service.ownTerminal ? O_RDWR : O_RDWR | O_NOCTTY, 0),
    { op: 'store', register: 'rax', variable: 'input' },
    ...stdio.flatMap((number) => systemCall('dup2', input, number)),
    ...systemCall('close', input),
    ...systemCall('execve', service.program, { pointers: service.arguments }, { pointers: service.environment }),
    ...systemCall('exit', 127),
  ];
}

function endRoutine(service: Service, index: number): Instruction[] {
  const again = `again ${index}`;
  const slow = `slow ${index}`;
  return [
    { op: 'label', name: ended(index) },
    { op: 'load', register: 'rax', variable: 'status' },
    { op: 'compare', register: 'rax', value: RESTART_STATUS << 8 },
    { op: 'jumpIf', is: 'equal', to: RESTART },
    ...systemCall('clock_gettime', CLOCK_MONOTONIC, { variable: 'now' }),
    { op: 'load', register: 'rax', variable: 'now' },
    { op: 'load', register: 'rcx', variable: startedAt(index) },
    { op: 'subtract', register: 'rax', other: 'rcx' },
    { op: 'compare', register: 'rax', value: QUICK_SECONDS },
    { op: 'jumpIf', is: 'notBelow', to: slow },
    { op: 'load', register: 'rax', variable: quickEnds(index) },
    { op: 'add', register: 'rax', value: 1 },
    { op: 'store', register: 'rax', variable: quickEnds(index) },
    { op: 'compare', register: 'rax', value: MAX_QUICK_ENDS },
    { op: 'jumpIf', is: 'below', to: again },
    { op: 'set', register: 'rax', to: 0 },
    ...failWith(service.orFail),
    { op: 'label', name: slow },
    { op: 'set', register: 'rax', to: 0 },
    { op: 'store', register: 'rax', variable: quickEnds(index) },
    { op: 'label', name: again },
    ...sleep(1),
    { op: 'call', to: start(index) },
    { op: 'jump', to: 'reap' },
  ];
}

const SIGKILL = 9;
const WNOHANG = 1;
const MNT_DETACH = 2;
/** A process that hangs in the kernel must not keep the machine from its restart. */
const REAP_ROUNDS = 30;

/**
 * Ends every process, lets go of what they wrote, and drops the page cache: with init_on_free=1 the kernel overwrites each
 * page as it is freed.
 */
export function wipe(folders: readonly string[]): Instruction[] {
  return [
    ...systemCall('kill', -1, SIGKILL),
    { op: 'set', register: 'rax', to: 0 },
    { op: 'label', name: 'wipe round' },
    { op: 'store', register: 'rax', variable: 'round' },
    ...systemCall('wait4', -1, 0, WNOHANG, 0),
    { op: 'compare', register: 'rax', value: LOWEST_ERROR },
    { op: 'jumpIf', is: 'notBelow', to: 'wiped' },
    ...sleep(0, 50),
    { op: 'load', register: 'rax', variable: 'round' },
    { op: 'add', register: 'rax', value: 1 },
    { op: 'compare', register: 'rax', value: REAP_ROUNDS },
    { op: 'jumpIf', is: 'below', to: 'wipe round' },
    { op: 'label', name: 'wiped' },
    ...folders.flatMap((folder) => systemCall('umount2', folder, MNT_DETACH)),
    ...systemCall('open', '/proc/sys/vm/drop_caches', 1, 0),
    { op: 'store', register: 'rax', variable: 'caches' },
    ...systemCall('write', { kept: 'caches' }, '3', 1),
  ];
}
