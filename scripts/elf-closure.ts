/** The libraries that a set of programs needs at run time, and theirs in turn, found by DT_NEEDED among unpacked packages. */
import { open, readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';
import { isElf, readElf } from './elf.ts';

export class ClosureError extends CodedError<'LIBRARY_MISSING'> {}

/** Where each file of the unpacked packages lies on this disk; links carry their target instead. */
export type Available = ReadonlyMap<string, { readonly source: string } | { readonly target: string }>;

/** The one folder that Debian's dynamic loader searches by itself, so that no ld.so.cache is needed. */
export const LIBRARY_FOLDER = 'usr/lib/x86_64-linux-gnu';

/**
 * Paths to add to the root: libraries with the links that lead to them, and the dynamic loader.
 * @param start paths already chosen (programs and extra libraries); those that are no ELF files need nothing
 * @throws ClosureError LIBRARY_MISSING naming the library and who asks for it
 */
export async function libraryClosure(start: readonly string[], available: Available): Promise<string[]> {
  const added = new Set<string>();
  const queue = [...start];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const wanted of await needs(path, available)) {
      const steps = followLinks(wanted, available);
      if (steps === undefined) {
        throw new ClosureError(
          'LIBRARY_MISSING',
          `${path} needs ${posix.basename(wanted)}, which no locked package holds`,
          {
            nextStep: 'take its package out of packages.leaveOut in image/image.json and run: npx cpushare image lock',
          },
        );
      }
      for (const step of steps) {
        if (added.has(step)) continue;
        added.add(step);
        queue.push(step);
      }
    }
  }
  return [...added].sort();
}

async function needs(path: string, available: Available): Promise<string[]> {
  const entry = available.get(path);
  if (entry === undefined || !('source' in entry) || !(await startsAsElf(entry.source))) return [];
  const { needed, interpreter } = readElf(await readFile(entry.source), path);
  const libraries = needed.map((name) => `${LIBRARY_FOLDER}/${name}`);
  return interpreter === null ? libraries : [...libraries, inRoot(interpreter)];
}

async function startsAsElf(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(4), 0, 4, 0);
    return bytesRead === 4 && isElf(buffer);
  } finally {
    await handle.close();
  }
}

/** `path` and every link on the way to the file; undefined when it leads nowhere. */
export function followLinks(path: string, available: Available): string[] | undefined {
  const steps = [path];
  for (let at = path; steps.length < 16; ) {
    const entry = available.get(at);
    if (entry === undefined) return undefined;
    if ('source' in entry) return steps;
    at = entry.target.startsWith('/') ? inRoot(entry.target) : posix.join(posix.dirname(at), entry.target);
    steps.push(at);
  }
  return undefined;
}

/** /lib64/… as merged /usr has it. */
function inRoot(absolute: string): string {
  const path = absolute.replace(/^\/+/, '');
  return /^(bin|sbin|lib|lib64)\//.test(path) ? `usr/${path}` : path;
}
