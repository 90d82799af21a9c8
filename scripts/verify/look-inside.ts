/** Goes into a piece that differs, where it holds files of its own, and names the first of them that differs. */
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Extent } from '../../src/shared/iso9660-records.ts';
import { sha256OfFile } from '../fetch.ts';
import type { Tools } from '../tools.ts';
import { differingKeys } from './compare-parts.ts';

export interface Piece {
  readonly iso: string;
  readonly extent: Extent;
}

export interface InnerDifference {
  readonly path: string;
  /** How many paths differ in all. */
  readonly count: number;
  readonly given: string;
  readonly built: string;
}

/** Undefined: nothing to look into, or its files are equal and only their order or packing differs. @throws ToolError */
export async function lookInside(
  name: string,
  { given, built }: { readonly given: Piece; readonly built: Piece },
  work: string,
  tools: Tools,
): Promise<InnerDifference | undefined> {
  const list = listerFor(name, tools);
  if (list === undefined) return undefined;
  const [there, here] = [
    await list(await extracted(given, join(work, 'given'))),
    await list(await extracted(built, join(work, 'built'))),
  ];
  const paths = differingKeys(there, here);
  const [path] = paths;
  if (path === undefined) return undefined;
  return { path, count: paths.length, given: there[path] ?? 'absent', built: here[path] ?? 'absent' };
}

type Listing = Record<string, string>;

function listerFor(name: string, tools: Tools): ((file: string) => Promise<Listing>) | undefined {
  if (name.endsWith('.sqfs')) return (file) => squashfsListing(file, tools);
  if (name === 'EFI system partition') return (file) => espListing(file, tools);
  return undefined;
}

async function extracted({ iso, extent }: Piece, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'piece');
  const { start, sizeBytes } = extent;
  await pipeline(createReadStream(iso, { start, end: start + sizeBytes - 1 }), createWriteStream(file));
  return file;
}

/** Mode, owner, size and date as unsquashfs prints them, and what each file holds. */
async function squashfsListing(file: string, tools: Tools): Promise<Listing> {
  const tree = `${file}.tree`;
  await tools.run('unsquashfs', ['-no-progress', '-no-xattrs', '-quiet', '-dest', tree, file]);
  const { stdout } = await tools.run('unsquashfs', ['-lln', file]);
  const contents = await treeListing(tree);
  const lines = stdout.split('\n').flatMap((line): [string, string][] => {
    // mode, owner/group, size, date, time, path
    const [, facts, path] = /^(\S+ \S+ +\d+ \S+ \S+) squashfs-root(\/.*)?$/.exec(line) ?? [];
    return facts === undefined ? [] : [[path ?? '/', facts.replace(/ +/g, ' ')]];
  });
  return Object.fromEntries(lines.map(([path, facts]) => [path, `${facts} ${contents[path] ?? ''}`.trim()]));
}

async function espListing(file: string, tools: Tools): Promise<Listing> {
  const tree = `${file}.tree`;
  await mkdir(tree);
  await tools.run('mcopy', ['-s', '-n', '-i', file, '::/', tree]);
  return treeListing(tree);
}

async function treeListing(tree: string): Promise<Listing> {
  const listing: Listing = {};
  for (const found of await readdir(tree, { recursive: true })) {
    const path = join(tree, found);
    const stats = await lstat(path);
    if (stats.isFile()) listing[`/${found}`] = `sha256 ${await sha256OfFile(path)}`;
    else if (stats.isSymbolicLink()) listing[`/${found}`] = `-> ${await readlink(path)}`;
  }
  return listing;
}
