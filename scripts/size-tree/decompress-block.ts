/** Blocks of a squashfs in this process, as compressed by mksquashfs. */
import { decompress as unzstd } from 'fzstd';
import { decompressInProcess } from '../deb.ts';
import type { DecompressBlock } from '../squashfs-reader.ts';

export const decompressBlock: DecompressBlock = async (compression, block) => {
  if (compression === 'zstd') return unzstd(block);
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompressInProcess('xz', block)) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
};
