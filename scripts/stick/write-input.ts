/** What is written where on a disk, and how far it got. */
import type { Disk } from '../write-stick-disk.ts';
import { StickError } from '../write-stick-rules.ts';

export const BLOCK_BYTES = 4 * 2 ** 20;

export interface WriteState {
  readonly phase: 'write' | 'read back';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Bytes that the disk gets in place of the ISO's, or behind its end; never across it. */
export interface Change {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface WriteInput {
  readonly disk: Disk;
  readonly iso: string;
  readonly isoBytes: number;
  /** In the order of their offsets. */
  readonly changes?: readonly Change[];
  readonly progress: (state: WriteState) => void;
  /** Ends the work between two blocks. */
  readonly signal: AbortSignal;
}

/** The parts of the disk that are written, in order. */
export function writtenRanges({ isoBytes, changes = [] }: WriteInput): { offset: number; length: number }[] {
  const behind = changes.filter(({ offset }) => offset >= isoBytes);
  return [{ offset: 0, length: isoBytes }, ...behind.map(({ offset, bytes }) => ({ offset, length: bytes.length }))];
}

export function mustGoOn(signal: AbortSignal, disk: Disk, how: string): void {
  if (!signal.aborted) return;
  throw new StickError('STICK_INTERRUPTED', `interrupted: ${how}; ${disk.path} cannot be used as it is`, {
    nextStep: 'write it again from the beginning, with the same command',
  });
}
