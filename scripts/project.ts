/** Where this checkout is: the folder of its package.json, whether we run compiled (dist/js) or from source (tests). */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package-lock.json')) && existsSync(join(folder, 'image'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('this file is not inside a cpushare-live checkout');
  return findRoot(parent);
}

export async function readOwnPackage(): Promise<{ readonly version: string }> {
  return JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as { readonly version: string };
}
