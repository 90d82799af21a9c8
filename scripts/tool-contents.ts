/** What each build tool consists of: its program and all libraries it loads, so that a step knows the tool it used. */
import { createHash } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Available, followLinks, LIBRARY_FOLDER, libraryClosure } from './elf-closure.ts';
import { sha256OfFile } from './fetch.ts';
import { PROGRAMS, type ToolName } from './tools.ts';

export type ToolContents = Readonly<Record<ToolName, string>>;

/** depmod reads .ko.xz with it. */
const LOADED_BY_NAME = [`${LIBRARY_FOLDER}/liblzma.so.5`];

/** @param root the merged tree of all tool packages */
export async function toolContents(root: string): Promise<ToolContents> {
  const available = await filesOf(root);
  const found: Partial<Record<ToolName, string>> = {};
  for (const [name, program] of Object.entries(PROGRAMS) as [ToolName, string][]) {
    const start = [
      resolved(program, available),
      ...LOADED_BY_NAME.flatMap((path) => followLinks(path, available) ?? []),
    ];
    const paths = [program, ...start, ...(await libraryClosure(start, available)), ...converters(available)];
    const hash = createHash('sha256');
    for (const path of new Set(paths)) {
      const entry = available.get(path);
      const content =
        entry === undefined ? 'absent' : 'source' in entry ? await sha256OfFile(entry.source) : entry.target;
      hash.update(`${path}\0${content}\0`);
    }
    found[name] = hash.digest('hex');
  }
  return found as ToolContents;
}

/** mtools loads them by name, for the FAT's file names. */
function converters(available: Available): string[] {
  return [...available.keys()].filter((path) => path.startsWith(`${LIBRARY_FOLDER}/gconv/`)).sort();
}

/** `mformat` is a link to `mtools`. */
function resolved(path: string, available: Available): string {
  return followLinks(path, available)?.at(-1) ?? path;
}

async function filesOf(root: string): Promise<Available> {
  const available = new Map<string, { source: string } | { target: string }>();
  for (const one of await readdir(root, { recursive: true, withFileTypes: true })) {
    const place = join(one.parentPath, one.name);
    const path = place.slice(root.length + 1);
    if (one.isSymbolicLink()) available.set(path, { target: await readlink(place) });
    else if (one.isFile()) available.set(path, { source: place });
  }
  return available;
}
