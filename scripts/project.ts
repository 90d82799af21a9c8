/** Where this checkout is: the folder of its package.json, whether we run compiled (dist/js) or from source (tests). */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package-lock.json')) && existsSync(join(folder, 'image'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('this file is not inside a cpushare-live checkout');
  return findRoot(parent);
}
