/** From a path to a disk's number and to an open disk, with the kernel's refusals in words. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Disk } from './write-stick-disk.ts';
import { StickError } from './write-stick-rules.ts';

/** `major:minor` of a block device. @throws StickError STICK_NOT_A_DISK */
export async function deviceNumber(path: string): Promise<string> {
  const nextStep =
    'name the disk as lsblk shows it, such as /dev/sdb; `npx cpushare image write` lists the likely ones';
  const found = await stat(path, { bigint: true }).catch((cause: unknown) => {
    throw new StickError('STICK_NOT_A_DISK', `there is no ${path}`, { cause, nextStep });
  });
  if (!found.isBlockDevice()) {
    throw new StickError('STICK_NOT_A_DISK', `${path} is not a disk (no block device)`, { nextStep });
  }
  return numberOf(found.rdev);
}

/** @throws StickError also when the path leads to another disk by now */
export async function openDisk(disk: Disk, flags: number): Promise<FileHandle> {
  const device = await open(disk.path, flags).catch((cause: NodeJS.ErrnoException) => {
    throw openFailure(disk.path, cause);
  });
  const number = numberOf((await device.stat({ bigint: true })).rdev);
  if (number === disk.number) return device;
  await device.close();
  throw new StickError('STICK_CHANGED', `${disk.path} is another disk now (${number}, it was ${disk.number})`, {
    nextStep: 'see with lsblk which disk is the stick, and run the command again',
  });
}

export function openFailure(path: string, cause: NodeJS.ErrnoException): StickError {
  if (cause.code === 'EACCES' || cause.code === 'EPERM') return permissionDenied(path, cause);
  if (cause.code === 'EBUSY') {
    return new StickError('STICK_BUSY', `${path} is in use by another program or mounted elsewhere`, {
      cause,
      nextStep: 'unmount it, close the programs that use it, and run the command again',
    });
  }
  if (cause.code === 'EROFS') {
    return new StickError('STICK_READ_ONLY', `${path} cannot be written: it is read-only`, {
      cause,
      nextStep: 'move the lock switch of the stick or card, or take another',
    });
  }
  return new StickError('STICK_WRITE_FAILED', `${path} cannot be opened`, {
    cause,
    nextStep: 'pull the stick out, put it in again, and run the command again',
  });
}

function permissionDenied(path: string, cause: unknown): StickError {
  return new StickError('STICK_PERMISSION', `you may not write to ${path}`, {
    cause,
    nextStep: `run the same command with sudo: sudo npx cpushare image write ${path}`,
  });
}

/** The numbers as glibc packs them. */
function numberOf(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return `${major}:${minor & 0xffffffffn}`;
}
