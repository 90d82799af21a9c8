/** The broker's data folder: made private, and held by one broker at a time. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, realpath, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
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

/**
 * The lock is a name in Linux' abstract socket space, derived from the folder: the kernel frees it when the process ends,
 * however it ends, so there is no stale lock file after a crash.
 */
function lock(path: string): Promise<() => Promise<void>> {
  const name = `\0cpushare-broker-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  const holder = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    holder.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE';
      const text = inUse
        ? `another broker is using the data folder ${path}`
        : `the data folder ${path} cannot be locked`;
      reject(
        new StartError(inUse ? 'DATA_FOLDER_IN_USE' : 'DATA_FOLDER_UNUSABLE', text, {
          cause,
          nextStep: 'stop that broker, or give this one its own folder: --data FOLDER',
        }),
      );
    });
    holder.listen(name, () => {
      holder.unref();
      resolve(() => new Promise((closed) => holder.close(() => closed())));
    });
  });
}
