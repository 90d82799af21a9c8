/**
 * Unpacks a .deb into a folder and tells what it holds. Nothing from it is run; of its metadata only "is executable"
 * survives. Paths are merged-/usr from here on. Names that could leave the folder are refused, never repaired.
 */
import { createWriteStream } from 'node:fs';
import { link, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import xz from 'xz-decompress';
import { DebError, debData } from './ar.ts';
import type { Tools } from './tools.ts';

export type TreeEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly executable: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export type Decompress = (compression: 'xz' | 'zst', data: Uint8Array) => Readable;

/** Needs no tool: for the packages that bring the tools. xz only. */
export const decompressInProcess: Decompress = (compression, data) => {
  if (compression !== 'xz') throw new DebError('DEB_UNSUPPORTED', `${compression} needs the locked tools`);
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(data);
      controller.close();
    },
  });
  return Readable.from(chunks(new xz.XzReadableStream(source)));
};

async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield Buffer.from(next.value);
}

/** The same by the locked xz and zstd: several times faster. */
export const decompressWith =
  (tools: Tools): Decompress =>
  (compression, data) =>
    tools.pipe(compression === 'xz' ? 'xz' : 'zstd', ['-dc'], data);

/** Documentation and translations are never part of an image; firmware may only be passed on with its licences. */
const UNUSED =
  /^usr\/share\/(doc(?!\/firmware-[a-z0-9-]+(\/copyright)?$)|man|info|locale|lintian|bash-completion|zsh|fish|icons|applications|bug|doc-base)(\/|$)/;

/** But what says whose work a package is, for the bill of materials: the file, or a link to another package's folder. */
const isCopyright = (path: string, { type }: Header) =>
  /^usr\/share\/doc\/[^/]+\/copyright$/.test(path) || (type === 'symlink' && /^usr\/share\/doc\/[^/]+$/.test(path));

/** @throws DebError */
export async function unpackDeb(deb: string, folder: string, decompress: Decompress): Promise<TreeEntry[]> {
  return readDeb(await readFile(deb), deb, decompress, (entry, content, header, entries) =>
    write(entry, content, header, folder, entries),
  );
}

type Take = (
  entry: TreeEntry,
  content: Readable,
  header: Header,
  entries: ReadonlyMap<string, TreeEntry>,
) => Promise<void>;

/** `take` has to read the content of each entry to its end. @throws DebError */
export async function readDeb(
  bytes: Uint8Array,
  name: string,
  decompress: Decompress,
  take: Take,
): Promise<TreeEntry[]> {
  const { compression, data } = debData(bytes);
  const tar = extract();
  const source = compression === 'none' ? Readable.from([data]) : decompress(compression, data);
  const entries = new Map<string, TreeEntry>();
  const next = async (header: Header, content: Readable) => {
    const entry = entryOf(header, entries);
    if (entry === undefined) content.resume();
    else {
      entries.set(entry.path, entry);
      await take(entry, content, header, entries);
    }
  };
  tar.on('entry', (header, content, done) => {
    next(header, content as unknown as Readable).then(() => done(), done);
  });
  await pipeline(source, tar).catch((cause: unknown) => {
    if (cause instanceof DebError) throw cause;
    if (cause instanceof Error && /tar|xz|LZMA/i.test(cause.message)) {
      throw new DebError('DEB_MALFORMED', `cannot unpack ${name}`, { cause });
    }
    throw cause;
  });
  return [...entries.values()];
}

/** Undefined for what is passed over. Pure: decides only from the header and what came before. */
export function entryOf(header: Header, before: ReadonlyMap<string, TreeEntry>): TreeEntry | undefined {
  const path = safePath(header.name);
  if (path === '' || (UNUSED.test(path) && !isCopyright(path, header))) return undefined;
  for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
    const kind = before.get(parent)?.kind;
    if (kind === 'link' || kind === 'file')
      throw new DebError('DEB_UNSAFE', `${path} lies below the ${kind} ${parent}`);
  }
  const known = before.get(path);
  if (known !== undefined && !(known.kind === 'folder' && header.type === 'directory')) {
    throw new DebError('DEB_UNSAFE', `${path} occurs twice`);
  }
  switch (header.type) {
    case 'directory':
      return { kind: 'folder', path };
    case 'file':
    case 'contiguous-file':
    case 'link':
      return { kind: 'file', path, executable: ((header.mode ?? 0) & 0o100) !== 0 };
    case 'symlink':
      return { kind: 'link', path, target: safeTarget(path, header.linkname ?? '') };
    default:
      throw new DebError('DEB_UNSAFE', `${path} is a ${header.type}; only files, folders and links are unpacked`);
  }
}

/** Relative, without `.` and `..`, and with /bin, /sbin, /lib and /lib64 below /usr. */
export function safePath(name: string): string {
  const trimmed = name.replace(/^\.\//, '').replace(/\/$/, '');
  if (trimmed === '.' || trimmed === '') return '';
  const segments = trimmed.split('/');
  if (name.includes('\0') || segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new DebError('DEB_UNSAFE', `the archive names a path that could leave its folder: ${JSON.stringify(name)}`);
  }
  return ['bin', 'sbin', 'lib', 'lib64'].includes(segments[0] ?? '') ? `usr/${trimmed}` : trimmed;
}

/** Links may be absolute (the live root's own /), but not climb above the root. */
function safeTarget(path: string, target: string): string {
  const resolved = target.startsWith('/') ? target : posix.join('/', posix.dirname(path), target);
  const depth = posix.dirname(path) === '.' ? 0 : posix.dirname(path).split('/').length;
  const climbs = target.split('/').filter((segment) => segment === '..').length;
  if (target === '' || target.includes('\0') || (!target.startsWith('/') && climbs > depth) || resolved === '') {
    throw new DebError('DEB_UNSAFE', `the link ${path} points outside the tree: ${JSON.stringify(target)}`);
  }
  return target;
}

async function write(
  entry: TreeEntry,
  content: Readable,
  header: Header,
  folder: string,
  entries: ReadonlyMap<string, TreeEntry>,
): Promise<void> {
  const place = join(folder, entry.path);
  await mkdir(entry.kind === 'folder' ? place : dirname(place), { recursive: true });
  if (entry.kind === 'link') await symlink(entry.target, place);
  if (entry.kind === 'file' && header.type === 'link') {
    const original = safePath(header.linkname ?? '');
    if (entries.get(original)?.kind !== 'file') {
      throw new DebError('DEB_UNSAFE', `${entry.path} is a hard link to ${original}, which is no file of this archive`);
    }
    await link(join(folder, original), place);
  } else if (entry.kind === 'file') {
    const mode = entry.executable ? 0o755 : 0o644;
    await pipeline(content, createWriteStream(place, { flags: 'wx', mode }));
    return;
  }
  content.resume();
}
