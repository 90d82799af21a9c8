/**
 * `image mirror`: every file of a lock in a folder laid out as a Debian mirror has it (FOLDER/debian/pool/…,
 * FOLDER/debian-security/pool/…). A file there is whole and right or not there; what is right already is left alone.
 */
import { constants, copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';
import type { Mirrors } from './apt/mirrors.ts';
import { type FetchProgress, fetchPackages, refuseFullDisk, sha256OfFile } from './fetch.ts';
import type { ImageLock, LockedPackage } from './lock-file.ts';

export class MirrorFolderError extends CodedError<'MIRROR_FOLDER_FAILED'> {}

export interface MirrorOptions {
  readonly folder: string;
  readonly cache: string;
  /** Asked for only when a file is neither in the folder nor in the cache. */
  readonly mirrors: () => Promise<Mirrors>;
  readonly progress?: (state: FetchProgress) => void;
}

export interface Mirrored {
  readonly copied: number;
  readonly kept: number;
  readonly totalBytes: number;
}

/** @throws FetchError, MirrorFolderError */
export async function mirrorLock(lock: ImageLock, options: MirrorOptions): Promise<Mirrored> {
  const totalBytes = sizeOf(lock.packages);
  const missing: LockedPackage[] = [];
  for (const one of lock.packages) if (!(await isRight(placeOf(one, options), one))) missing.push(one);
  const keptBytes = totalBytes - sizeOf(missing);
  const debs = await fetchPackages(missing, {
    cache: options.cache,
    mirrors: options.mirrors,
    progress: ({ doneBytes }) => options.progress?.({ doneBytes: keptBytes + doneBytes, totalBytes }),
  });
  for (const one of missing) await copyWhole(debs.get(one.sha256) ?? '', placeOf(one, options), one);
  return { copied: missing.length, kept: lock.packages.length - missing.length, totalBytes };
}

const sizeOf = (packages: readonly LockedPackage[]) => packages.reduce((sum, one) => sum + one.sizeBytes, 0);

const placeOf = (one: LockedPackage, { folder }: MirrorOptions) => join(folder, one.archive, one.path);

async function isRight(path: string, one: LockedPackage): Promise<boolean> {
  try {
    return (await stat(path)).size === one.sizeBytes && (await sha256OfFile(path)) === one.sha256;
  } catch {
    return false;
  }
}

async function copyWhole(from: string, to: string, one: LockedPackage): Promise<void> {
  const part = `${to}.${process.pid}.part`;
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, part, constants.COPYFILE_FICLONE);
    if (!(await isRight(part, one))) throw new Error('what was written reads back differently');
    await rename(part, to);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined);
    refuseFullDisk(cause);
    throw new MirrorFolderError('MIRROR_FOLDER_FAILED', `cannot write ${to}`, {
      cause,
      nextStep: 'name a folder you may write to; what is copied already is kept',
    });
  }
}
