/** Root entries as one tar stream: sorted bytewise, every parent folder present, everything owned by root, one time stamp. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { CodedError } from '../src/shared/errors.ts';
import type { RootEntry } from './root-entry.ts';

export class RootError extends CodedError<'ROOT_PATH_TWICE' | 'ROOT_PATH_BELOW_FILE' | 'ROOT_FILE_ABSENT'> {}

/** Later layers may replace files of earlier ones only where `overlay` says so. @throws RootError */
export function mergeEntries(
  layers: readonly { readonly overlay: boolean; readonly entries: readonly RootEntry[] }[],
): RootEntry[] {
  const merged = new Map<string, RootEntry>();
  for (const { overlay, entries } of layers) {
    for (const entry of entries) {
      const known = merged.get(entry.path);
      if (known?.kind === 'folder' && entry.kind === 'folder') {
        if (entry.mode !== undefined) merged.set(entry.path, entry);
      } else if (known !== undefined && !overlay) {
        throw new RootError('ROOT_PATH_TWICE', `two sources put something at /${entry.path}`);
      } else merged.set(entry.path, entry);
    }
  }
  for (const path of [...merged.keys()]) addParents(path, merged);
  return [...merged.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function addParents(path: string, merged: Map<string, RootEntry>): void {
  for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
    const known = merged.get(parent);
    if (known === undefined) merged.set(parent, { kind: 'folder', path: parent });
    else if (known.kind !== 'folder') {
      throw new RootError('ROOT_PATH_BELOW_FILE', `/${path} lies below /${parent}, which is a ${known.kind}`);
    }
  }
}

/**
 * What of `merged` must lie above `base` to show all of it: each entry that base lacks or has otherwise, and its parents,
 * which carry their modes because an overlay shows those of its topmost layer.
 */
export function upperLayer(merged: readonly RootEntry[], base: readonly RootEntry[]): RootEntry[] {
  const known = new Set(base);
  const wanted = new Set(merged.filter((entry) => !known.has(entry)).map((entry) => entry.path));
  for (const path of [...wanted]) {
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) wanted.add(parent);
  }
  return merged.filter((entry) => wanted.has(entry.path));
}

export function rootTar(entries: readonly RootEntry[], sourceDateEpoch: number): Readable {
  const tar = pack();
  const common = { mtime: new Date(sourceDateEpoch * 1000), uid: 0, gid: 0, uname: '', gname: '' };
  const feed = async () => {
    for (const entry of entries) {
      if (entry.kind === 'folder') {
        await added((done) =>
          tar.entry({ ...common, name: `${entry.path}/`, type: 'directory', mode: entry.mode ?? 0o755 }, done),
        );
      } else if (entry.kind === 'link') {
        await added((done) =>
          tar.entry({ ...common, name: entry.path, type: 'symlink', linkname: entry.target, mode: 0o777 }, done),
        );
      } else {
        await addFile(tar, entry, common);
      }
    }
    tar.finalize();
  };
  feed().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar as unknown as AsyncIterable<Uint8Array>);
}

type Common = { readonly mtime: Date; readonly uid: number; readonly gid: number };

async function addFile(tar: ReturnType<typeof pack>, entry: Extract<RootEntry, { kind: 'file' }>, common: Common) {
  const mode = entry.secret === true ? 0o600 : entry.executable ? 0o755 : 0o644;
  const header = { ...common, name: entry.path, type: 'file' as const, mode };
  const { content } = entry;
  if (content instanceof Uint8Array) {
    await added((done) => tar.entry({ ...header, size: content.length }, Buffer.from(content), done));
    return;
  }
  const { size } = await stat(content.file).catch((cause: unknown) => {
    throw new RootError('ROOT_FILE_ABSENT', `${content.file} is gone (for /${entry.path})`, { cause });
  });
  await new Promise<void>((resolve, reject) => {
    const sink = tar.entry({ ...header, size }, (error) => (error ? reject(error) : resolve()));
    const source = createReadStream(content.file, { highWaterMark: 1 << 18 });
    source.on('error', reject);
    source.on('data', (chunk) => {
      if (!sink.write(chunk)) {
        source.pause();
        sink.once('drain', () => source.resume());
      }
    });
    source.on('end', () => sink.end(undefined));
  });
}

function added(start: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });
}
