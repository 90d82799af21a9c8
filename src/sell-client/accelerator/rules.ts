/** Which accelerators to try, in which order, and what a run of the tiny guest means: pure. */
import { equalBytes } from '../../shared/bytes.ts';
import type { AcceleratorAttempt, AcceleratorResult } from '../agent/state.ts';
import { EXIT_CODE } from './boot-sector.ts';

export type AcceleratorName = AcceleratorAttempt['name'];

/** Fastest first; only the first two isolate the guest by hardware. */
export const ACCELERATORS: readonly AcceleratorName[] = ['kvm', 'kqemu', 'tcg'];

/** How one run of the tiny guest ended. */
export interface GuestRun {
  readonly output: Uint8Array;
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly stderr: string;
}

/** `qemu -accel help`: a heading, then one name a line. */
export function parseAccelerators(help: string): string[] {
  return help.split('\n').flatMap((line) => (/^[a-z0-9_-]+$/.test(line.trim()) ? [line.trim()] : []));
}

export function judgeRun(name: AcceleratorName, run: GuestRun, expected: Uint8Array): AcceleratorAttempt {
  if (run.exitCode === EXIT_CODE && equalBytes(run.output, expected))
    return { name, ran: true, reason: 'ran a test guest' };
  return { name, ran: false, reason: `did not run the test guest: ${failure(run)}` };
}

/** The first that ran; `unknown` with every reason when none did. */
export function chooseAccelerator(tried: readonly AcceleratorAttempt[]): AcceleratorResult {
  const winner = tried.find((attempt) => attempt.ran);
  const passedOver = tried.filter((attempt) => !attempt.ran).map((attempt) => `${attempt.name} ${attempt.reason}`);
  const reason = [...(winner === undefined ? [] : [winner.reason]), ...passedOver].join('; ');
  return { name: winner?.name ?? 'unknown', reason: reason.slice(0, 500), tried };
}

function failure(run: GuestRun): string {
  if (run.timedOut) return 'no end in time';
  const said = run.stderr
    .replace(/[^\x20-\x7e\n]/g, '?')
    .split('\n')
    .find((line) => line.trim() !== '');
  return (
    said?.replace(/^[^ ]*qemu-system-x86_64: /, '').slice(0, 120) ?? `QEMU ended with code ${run.exitCode ?? 'none'}`
  );
}
