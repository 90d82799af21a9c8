/** Blocks of a squashfs in this process, as compressed by mksquashfs. */
import { promisify } from 'node:util';
import { inflate as inflateWithCallback } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { decompressInProcess } from '../deb.ts';
import type { DecompressBlock } from '../squashfs-reader.ts';

const inflate = promisify(inflateWithCallback);
/** The largest that a squashfs can have. */
const MAX_BLOCK_BYTES = 2 ** 20;

export const decompressBlock: DecompressBlock = async (compression, block) => {
  if (compression === 'zstd') return unzstd(block);
  // squashfs calls zlib's format gzip
  if (compression === 'gzip') return inflate(block, { maxOutputLength: MAX_BLOCK_BYTES });
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompressInProcess('xz', block)) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
};
