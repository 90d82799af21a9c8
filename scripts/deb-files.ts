/** Single files out of a .deb, in memory: documentation and boot loaders to look at, never to run. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { DebError, debData } from './ar.ts';
import { decompressInProcess } from './deb.ts';

export interface DebFiles {
  /** By path without a leading `./`. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Targets of symbolic links. */
  readonly links: ReadonlyMap<string, string>;
}

const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** @throws DebError */
export async function readDebFiles(deb: string, wanted: (path: string) => boolean): Promise<DebFiles> {
  const { compression, data } = debData(await readFile(deb));
  const [files, links] = [new Map<string, Buffer>(), new Map<string, string>()];
  const tar = extract();
  const take = async (header: Header, content: AsyncIterable<Uint8Array> & { resume(): unknown }) => {
    const path = header.name.replace(/^\.\//, '').replace(/\/$/, '');
    if (header.type === 'symlink') links.set(path, header.linkname ?? '');
    if (header.type !== 'file' || !wanted(path)) return content.resume();
    if ((header.size ?? 0) > MAX_FILE_BYTES) throw new DebError('DEB_UNSAFE', `${path} has ${header.size} bytes`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    files.set(path, Buffer.concat(chunks));
  };
  tar.on('entry', (header, content, next) => {
    take(header, content as unknown as Readable).then(() => next(), next);
  });
  await pipeline(compression === 'none' ? Readable.from([data]) : decompressInProcess(compression, data), tar).catch(
    (cause: unknown) => {
      if (cause instanceof DebError) throw cause;
      throw new DebError('DEB_MALFORMED', `cannot read ${deb}`, { cause });
    },
  );
  return { files, links };
}
