/** What tests need that kill builds: a program of their own to start, and a look at what lies there afterwards. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from '../project.ts';
import { readTree } from '../tree-hash.ts';

/** @param folder inside the checkout, because the program looks for it above itself */
export async function bundleProgram(source: string, folder: string): Promise<string> {
  const program = join(folder, `${basename(source, '.ts')}.mjs`);
  await build({
    entryPoints: [join(projectRoot, source)],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return program;
}

export interface CountedResults {
  readonly whole: number;
  /** Their files are not those they were recorded with. */
  readonly broken: readonly string[];
}

/** All results below `root` that a later build would use. */
export async function countResults(root: string): Promise<CountedResults> {
  let whole = 0;
  const broken: string[] = [];
  const look = async (folder: string): Promise<void> => {
    if (folder.endsWith('.part') || !(await stat(folder)).isDirectory()) return;
    const record = await readFile(join(folder, 'record.json'), 'utf8').catch(() => undefined);
    if (record === undefined) {
      for (const name of await readdir(folder)) await look(join(folder, name));
      return;
    }
    const { sha256 } = JSON.parse(record) as { sha256: string };
    const found = await readTree(join(folder, 'out')).catch(() => undefined);
    if (found?.sha256 === sha256) whole += 1;
    else broken.push(folder);
  };
  for (const name of await readdir(root).catch(() => [])) await look(join(root, name));
  return { whole, broken };
}
