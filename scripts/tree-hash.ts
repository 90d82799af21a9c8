/** The content of a folder as one number: names, execute bits, contents and link targets; no dates, owners or empty folders. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from './fetch.ts';

export interface TreeContent {
  readonly sha256: string;
  readonly files: readonly FileContent[];
}

export interface FileContent {
  /** Below the folder, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export async function readTree(folder: string): Promise<TreeContent> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found
    .filter((one) => !one.isDirectory())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const hash = createHash('sha256');
  const files: FileContent[] = [];
  for (const path of paths) {
    const place = join(folder, path);
    const { mode, size } = await lstat(place);
    if ((mode & 0o170000) === 0o120000) hash.update(`link\0${path}\0${await readlink(place)}\0`);
    else {
      const sha256 = await sha256OfFile(place);
      files.push({ path, sizeBytes: size, sha256 });
      hash.update(`${(mode & 0o100) === 0 ? 'file' : 'program'}\0${path}\0${sha256}\0`);
    }
  }
  return { sha256: hash.digest('hex'), files };
}

export async function sha256OfTree(folder: string): Promise<string> {
  return (await readTree(folder)).sha256;
}
