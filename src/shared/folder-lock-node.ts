/**
 * One program at a time for a folder. The lock is a name in Linux' abstract socket space, derived from the folder: the
 * kernel frees it when the process ends, however it ends, so there is no stale lock file after a crash.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

export type Release = () => Promise<void>;

/**
 * @param purpose tells locks of different programs on the same folder apart
 * @param path absolute, without symbolic links
 * @returns null while another process holds it
 */
export function lockFolder(purpose: string, path: string): Promise<Release | null> {
  const name = `\0cpushare-${purpose}-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  const holder = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    holder.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    holder.listen(name, () => {
      holder.unref();
      resolve(() => new Promise((closed) => holder.close(() => closed())));
    });
  });
}
