/** A mirror that is a folder: answers as an HTTP server over the same files would, without ranges. */
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** `fetch` for http, https and file URLs. */
export async function fetchFrom(url: string, init: RequestInit): Promise<Response> {
  return url.startsWith('file:') ? readLocal(fileURLToPath(url)) : fetch(url, init);
}

async function readLocal(path: string): Promise<Response> {
  // Opened first: a stream would tell of a missing file only while it is read.
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (handle === undefined) return new Response(null, { status: 404 });
  const stream = handle.createReadStream({ highWaterMark: 1 << 20 });
  return new Response(Readable.toWeb(stream) as ConstructorParameters<typeof Response>[0]);
}
