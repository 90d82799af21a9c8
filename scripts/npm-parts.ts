/** npm packages as package-lock.json names them: those whose files a bundle holds, and those that the recipe runs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';

export class NpmLockError extends CodedError<'NPM_LOCK_UNREADABLE' | 'NPM_PACKAGE_UNLOCKED'> {}

export interface NpmPart {
  readonly name: string;
  readonly version: string;
  /** SPDX expression as the package states it. */
  readonly licence?: string;
  /** Of the published archive, hex; absent for a package of this checkout. */
  readonly sha512?: string;
}

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  /** A package of this checkout: `resolved` is its folder. */
  readonly link?: boolean;
  readonly resolved?: string;
}

export type NpmLock = Readonly<Record<string, LockEntry>>;

/** @throws NpmLockError */
export async function readNpmLock(projectRoot: string): Promise<NpmLock> {
  const path = join(projectRoot, 'package-lock.json');
  try {
    const { packages } = JSON.parse(await readFile(path, 'utf8')) as { readonly packages: NpmLock };
    return packages;
  } catch (cause) {
    throw new NpmLockError('NPM_LOCK_UNREADABLE', `cannot read ${path}`, {
      cause,
      nextStep: 'take package-lock.json from the release anew',
    });
  }
}

/** Sorted, each once. @param files relative to the checkout @throws NpmLockError */
export function npmPartsOf(files: readonly string[], lock: NpmLock): NpmPart[] {
  const keys = new Set(files.flatMap((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  return [...keys].sort().map((key) => partAt(key, lock));
}

/** Those that the recipe imports, by name. @throws NpmLockError */
export function npmPartsNamed(names: readonly string[], lock: NpmLock): NpmPart[] {
  return npmPartsOf(
    names.map((name) => `node_modules/${name}`),
    lock,
  );
}

function partAt(key: string, lock: NpmLock): NpmPart {
  const found = lock[key];
  const entry = found?.link === true ? lock[found.resolved ?? ''] : found;
  if (entry?.version === undefined) {
    throw new NpmLockError('NPM_PACKAGE_UNLOCKED', `package-lock.json does not name ${key}`, { nextStep: 'npm ci' });
  }
  return {
    name: key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version: entry.version,
    ...(entry.license === undefined ? {} : { licence: entry.license }),
    ...(entry.integrity?.startsWith('sha512-') === true
      ? { sha512: Buffer.from(entry.integrity.slice('sha512-'.length), 'base64').toString('hex') }
      : {}),
  };
}
