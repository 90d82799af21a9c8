/** A folder for what one part of the bench builds and boots. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from '../demo/cleanup.ts';

export async function benchFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-bench-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
