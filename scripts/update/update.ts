/** `image update`: compare, tell, and write only when asked. The resolver is given, so that all else is the same everywhere. */
import type { FetchOptions } from '../fetch.ts';
import { type ImageLock, readAnyLock, writeLock } from '../lock-file.ts';
import { differenceOf, isUpdate } from './difference.ts';
import { formatUpdate } from './format.ts';
import { readNews } from './news.ts';

export interface UpdateOptions {
  readonly lockPath: string;
  /** ` --flavour NAME` of the image that is updated; empty for the default. */
  readonly words: string;
  readonly resolve: () => Promise<ImageLock>;
  readonly fetch: FetchOptions;
  readonly write: boolean;
  readonly print: (line: string) => void;
}

export type UpdateOutcome = 'nothing-to-do' | 'shown' | 'written';

/** @throws LockError, FetchError DISK_FULL, and what the resolver throws */
export async function updateLock({
  lockPath,
  words,
  resolve,
  fetch,
  write,
  print,
}: UpdateOptions): Promise<UpdateOutcome> {
  const before = await readAnyLock(lockPath);
  const after = await resolve();
  const difference = differenceOf(before, after);
  if (!isUpdate(difference)) {
    print('Nothing to update: the lock has the packages that its declaration leads to today.');
    return 'nothing-to-do';
  }
  print(`\n${formatUpdate(difference, await readNews(difference, after, fetch))}\n`);
  if (!write) {
    print(`Nothing is written. To take it: npx cpushare image update --write${words}`);
    return 'shown';
  }
  await writeLock(lockPath, after);
  print(
    `Wrote ${lockPath}\nNext: npx cpushare image build${words}, then commit the lock together with its declaration.`,
  );
  return 'written';
}
