/** The memory of a virtual machine as its owner reads it: the file that QEMU keeps it in. */
import { open } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024 * 1024;

/** How often `text` stands in the file, which may be larger than a buffer can be. */
export async function countInFile(path: string, text: string): Promise<number> {
  const wanted = Buffer.from(text, 'latin1');
  const overlap = wanted.length - 1;
  const chunk = Buffer.alloc(CHUNK_BYTES + overlap);
  const file = await open(path);
  try {
    let found = 0;
    for (let offset = 0; ; offset += CHUNK_BYTES) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, offset);
      const read = chunk.subarray(0, bytesRead);
      for (let at = read.indexOf(wanted); at !== -1; at = read.indexOf(wanted, at + wanted.length)) found += 1;
      if (bytesRead < chunk.length) return found;
    }
  } finally {
    await file.close();
  }
}
