/**
 * Remembers finished build steps by what went into them. A step's folder gets its name only when the step has succeeded;
 * one folder per step is kept.
 */
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from './project.ts';

export interface Steps {
  /** The step's folder: as it was left when the same inputs were built before, else newly made. */
  run(name: string, inputs: unknown, make: (folder: string) => Promise<void>): Promise<string>;
}

export async function openSteps(root: string, started: (name: string) => void): Promise<Steps> {
  const recipe = await recipeSha256();
  return {
    async run(name, inputs, make) {
      const key = createHash('sha256')
        .update(JSON.stringify([name, recipe, inputs]))
        .digest('hex')
        .slice(0, 24);
      const home = join(root, name);
      const done = join(home, key);
      if (await exists(done)) return done;
      started(name);
      await mkdir(home, { recursive: true });
      for (const old of await readdir(home)) await rm(join(home, old), { recursive: true, force: true });
      const partial = join(home, `${key}.part`);
      await mkdir(partial);
      await make(partial);
      await rename(partial, done);
      return done;
    },
  };
}

/** The steps' own source: a changed recipe builds anew, and the compiled program and a test from source agree on it. */
async function recipeSha256(): Promise<string> {
  const folder = join(projectRoot, 'scripts');
  const programs = (await readdir(join(folder, 'tiny-init'))).map((name) => `tiny-init/${name}`);
  const names = [...(await readdir(folder)), ...programs].filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const hash = createHash('sha256');
  for (const name of names.sort()) hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  return hash.digest('hex');
}

/** Names, execute bits and contents of all files below a folder. */
export async function treeSha256(folder: string): Promise<string> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const executable = ((await stat(file)).mode & 0o100) !== 0;
    hash.update(`${file.slice(folder.length)}\0${executable}\0`).update(
      createHash('sha256')
        .update(await readFile(file))
        .digest(),
    );
  }
  return hash.digest('hex');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
