/** Takes away what no build has used for long, so that the folder of finished steps does not grow with each update. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const UNUSED_MS = 30 * 24 * 60 * 60 * 1000;

/** Results below `root` lie two or three folders deep: `tools/KEY`, `package/NAME/KEY`, `IMAGE/STEP/KEY`. */
export async function pruneSteps(root: string, nowMs = Date.now()): Promise<void> {
  for (const one of await readdir(root, { withFileTypes: true })) {
    if (one.isDirectory()) await pruneFolder(join(root, one.name), nowMs, 2);
  }
}

/** True when nothing is left of it. Files beside the results, such as the sell client's bundle, go with the last of them. */
async function pruneFolder(folder: string, nowMs: number, deeper: number): Promise<boolean> {
  const usedMs = await lastUsedMs(folder);
  if (usedMs !== undefined) return nowMs - usedMs > UNUSED_MS && (await takeAway(folder));
  if (deeper === 0) return takeAway(folder);
  const inside = (await readdir(folder, { withFileTypes: true })).filter((one) => one.isDirectory());
  let left = 0;
  for (const { name } of inside) if (!(await pruneFolder(join(folder, name), nowMs, deeper - 1))) left += 1;
  return left === 0 && (await takeAway(folder));
}

async function lastUsedMs(folder: string): Promise<number | undefined> {
  return stat(join(folder, 'record.json')).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
}

/** First its name, so that half a result never lies under a name that counts. */
async function takeAway(folder: string): Promise<true> {
  const gone = folder.endsWith('.part') ? folder : `${folder}.gone.part`;
  if (gone !== folder) await rename(folder, gone);
  await rm(gone, { recursive: true, force: true, maxRetries: 5 });
  return true;
}
