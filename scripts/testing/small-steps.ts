/**
 * A chain of small steps with the real engine, to be run as a program and killed at any moment: each writes files that
 * depend on the one before. Prints the checksum of the last. Arguments: the build folder, and what the first step reads.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Artifact, openSteps } from '../steps.ts';

const FILES = 40;

export async function runSmallSteps(root: string, seed: string): Promise<string> {
  const steps = await openSteps(root, () => undefined);
  let before: Artifact = { path: '', sha256: createHash('sha256').update(seed).digest('hex') };
  for (const name of ['one', 'two', 'three', 'four']) {
    const input = before;
    const result = await steps.run({
      name,
      recipe: ['glob.ts'],
      declaredIn: 'glob.ts',
      files: { before: input },
      values: { name },
      make: async (to) => {
        const read = input.path === '' ? seed : await readFile(input.path, 'utf8');
        for (let index = 0; index < FILES; index += 1) {
          await mkdir(join(to, `d${index % 4}`), { recursive: true });
          await writeFile(join(to, `d${index % 4}`, `f${index}`), `${name} ${index} ${read.slice(0, 60)}`.repeat(500));
        }
        await writeFile(join(to, 'last'), createHash('sha256').update(`${name}${read}`).digest('hex'));
      },
    });
    before = result.file('last');
  }
  return before.sha256;
}

const [root, seed] = process.argv.slice(2);
if (root !== undefined && seed !== undefined && process.env.SMALL_STEPS === 'run') {
  console.log(await runSmallSteps(root, seed));
}
