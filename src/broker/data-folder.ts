/** The broker's data folder: made private, and held by one broker at a time. */
import { chmod, mkdir, readdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFolder, type Release } from '../shared/folder-lock-node.ts';
import { StartError } from './errors.ts';

export interface DataFolder {
  /** Absolute, without symbolic links. */
  readonly path: string;
  release(): Promise<void>;
}

/** @throws StartError DATA_FOLDER_UNUSABLE | DATA_FOLDER_IN_USE */
export async function holdDataFolder(folder: string): Promise<DataFolder> {
  const path = await makePrivate(folder);
  const release = await lock(path);
  await sweep(path);
  return { path, release };
}

/** What a broker that was killed at its first start left half made: never used, so gone. Ours alone, since we hold the lock. */
async function sweep(path: string): Promise<void> {
  const halfMade = (await readdir(path)).filter((name) => /\.[0-9a-f]{12}\.new$/.test(name));
  for (const name of halfMade) await rm(join(path, name), { recursive: true, force: true });
}

/** Keys and evidence are nobody else's to read: a folder that is open to others is closed to them. */
async function makePrivate(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = await realpath(folder);
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) await chmod(path, 0o700);
    return path;
  } catch (cause) {
    throw new StartError('DATA_FOLDER_UNUSABLE', `the data folder ${folder} cannot be made or made private`, {
      cause,
      nextStep: 'give a folder that belongs to you alone: --data FOLDER',
    });
  }
}

async function lock(path: string): Promise<Release> {
  const nextStep = 'stop that broker, or give this one its own folder: --data FOLDER';
  const release = await lockFolder('broker', path).catch((cause: unknown) => {
    throw new StartError('DATA_FOLDER_UNUSABLE', `the data folder ${path} cannot be locked`, { cause });
  });
  if (release !== null) return release;
  throw new StartError('DATA_FOLDER_IN_USE', `another broker is using the data folder ${path}`, { nextStep });
}
