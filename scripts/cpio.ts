/**
 * Writes a "newc" cpio archive, the form the kernel unpacks as initramfs (Documentation/driver-api/early-userspace/
 * buffer-format.rst). Same entries, same bytes: owner root, inode numbers by position, one time stamp for all.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CodedError } from '../src/shared/errors.ts';

export class CpioError extends CodedError<'CPIO_BAD_PATH' | 'CPIO_FILE_CHANGED' | 'CPIO_TOO_LARGE'> {}

export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | ({ readonly kind: 'character-device'; readonly path: string; readonly mode: number } & DeviceNumber)
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array | FileOnDisk };

interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export interface FileOnDisk {
  readonly file: string;
}

/** Leaving this much of the 32-bit size field unused is not a limit in practice: an initrd has to fit in memory. */
const MAX_FILE_BYTES = 0xffff_ffff;
const BLOCK_BYTES = 512;
const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/** The archive as a stream of chunks, in the order given. @throws CpioError */
export async function* cpioArchive(entries: readonly CpioEntry[], mtime: number): AsyncGenerator<Uint8Array> {
  refuseBadPaths(entries);
  let written = 0;
  for (const [index, entry] of entries.entries()) {
    const sizeBytes = await sizeOf(entry);
    const header = headerOf(entry, { ino: index + 1, sizeBytes, mtime });
    yield header;
    for await (const chunk of contentOf(entry, sizeBytes)) yield chunk;
    yield zeros(padding(sizeBytes, 4));
    written += header.length + sizeBytes + padding(sizeBytes, 4);
  }
  const trailer = header({ path: 'TRAILER!!!', ino: 0, mode: 0, links: 1, mtime: 0, sizeBytes: 0 });
  yield trailer;
  yield zeros(padding(written + trailer.length, BLOCK_BYTES));
}

/** The kernel creates names in archive order, so each folder must come before what lies in it. */
function refuseBadPaths(entries: readonly CpioEntry[]): void {
  const directories = new Set(['']);
  const seen = new Set<string>();
  for (const { kind, path } of entries) {
    const parts = path.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..')) throw badPath(path, 'is not a plain path');
    if (seen.has(path)) throw badPath(path, 'is there twice');
    if (!directories.has(parts.slice(0, -1).join('/'))) throw badPath(path, 'comes before its folder');
    seen.add(path);
    if (kind === 'directory') directories.add(path);
  }
}

async function sizeOf(entry: CpioEntry): Promise<number> {
  if (entry.kind === 'symlink') return new TextEncoder().encode(entry.target).length;
  if (entry.kind !== 'file') return 0;
  const size = entry.content instanceof Uint8Array ? entry.content.length : (await stat(entry.content.file)).size;
  if (size > MAX_FILE_BYTES) {
    throw new CpioError('CPIO_TOO_LARGE', `${entry.path} has ${size} bytes; a cpio entry holds at most 4 GiB`);
  }
  return size;
}

async function* contentOf(entry: CpioEntry, sizeBytes: number): AsyncGenerator<Uint8Array> {
  if (entry.kind === 'symlink') yield new TextEncoder().encode(entry.target);
  if (entry.kind !== 'file') return;
  if (entry.content instanceof Uint8Array) return yield entry.content;
  let seen = 0;
  for await (const chunk of createReadStream(entry.content.file, { highWaterMark: 1024 * 1024 })) {
    seen += chunk.length;
    yield chunk;
  }
  if (seen !== sizeBytes) {
    const values = `${sizeBytes} bytes announced, ${seen} read`;
    throw new CpioError('CPIO_FILE_CHANGED', `${entry.content.file} changed while it was packed (${values})`);
  }
}

function headerOf(entry: CpioEntry, rest: { ino: number; sizeBytes: number; mtime: number }): Uint8Array {
  switch (entry.kind) {
    case 'directory':
      return header({ path: entry.path, mode: S_IFDIR | entry.mode, links: 2, ...rest });
    case 'symlink':
      return header({ path: entry.path, mode: S_IFLNK | 0o777, links: 1, ...rest });
    case 'character-device':
      return header({ path: entry.path, mode: S_IFCHR | entry.mode, links: 1, device: entry, ...rest });
    case 'file':
      return header({ path: entry.path, mode: S_IFREG | entry.mode, links: 1, ...rest });
  }
}

interface HeaderFields {
  readonly path: string;
  readonly ino: number;
  readonly mode: number;
  readonly links: number;
  readonly mtime: number;
  readonly sizeBytes: number;
  readonly device?: DeviceNumber;
}

/** Magic and thirteen fields of eight hex digits, then the name with its NUL, padded to four bytes. */
function header(entry: HeaderFields): Uint8Array {
  const name = new TextEncoder().encode(entry.path);
  const owner = [0, 0];
  const archiveDevice = [0, 0];
  const device = [entry.device?.major ?? 0, entry.device?.minor ?? 0];
  const unusedChecksum = 0;
  const fields = [entry.ino, entry.mode, ...owner, entry.links, entry.mtime, entry.sizeBytes]
    .concat(archiveDevice, device, name.length + 1, unusedChecksum)
    .map((value) => value.toString(16).toUpperCase().padStart(8, '0'));
  const length = 110 + name.length + 1;
  const bytes = new Uint8Array(length + padding(length, 4));
  bytes.set(new TextEncoder().encode(`070701${fields.join('')}`));
  bytes.set(name, 110);
  return bytes;
}

const padding = (length: number, unit: number) => (unit - (length % unit)) % unit;

const zeros = (count: number) => new Uint8Array(count);

function badPath(path: string, why: string): CpioError {
  return new CpioError('CPIO_BAD_PATH', `archive entry ${JSON.stringify(path)} ${why}`);
}
