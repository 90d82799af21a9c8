/**
 * An ISO taken apart into the pieces that a build makes, in the order in which they are made: where two ISOs differ, the
 * first piece that differs is the cause, and the later ones follow from it.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Extent, SECTOR_BYTES } from '../../src/shared/iso9660-records.ts';
import { GRUB_CONFIG_PATH, INITRD_PATH, KERNEL_PATH } from '../grub.ts';
import { ABOUT_FILES, ABOUT_FOLDER } from '../medium-files.ts';
import { readMembers } from './read-cpio.ts';
import { IsoError, type ReadAt, readerOf, readVolume } from './read-iso.ts';

export interface IsoPart {
  /** `kernel`, `initrd: init`, `/.cpushare/sbom.cdx.json` … */
  readonly name: string;
  readonly extent: Extent;
  readonly sha256: string;
}

export interface OpenIso {
  readonly path: string;
  readonly sizeBytes: number;
  readonly readAt: ReadAt;
  readonly files: ReadonlyMap<string, Extent>;
}

/** Runs `use` while the file is open. @throws IsoError */
export async function withIso<T>(path: string, use: (iso: OpenIso) => Promise<T>): Promise<T> {
  const handle = await open(path).catch((cause: unknown) => {
    throw new IsoError('ISO_NOT_ISO', `${path} cannot be opened`, { cause, nextStep: 'name the ISO to verify' });
  });
  try {
    const { sizeBytes, readAt } = await sized(handle, path);
    const { files } = readVolume(readAt, sizeBytes, path);
    return await use({ path, sizeBytes, readAt, files });
  } finally {
    await handle.close();
  }
}

async function sized(handle: FileHandle, path: string) {
  const found = await handle.stat();
  if (!found.isFile()) {
    throw new IsoError('ISO_NOT_ISO', `${path} is not a file`, {
      nextStep: 'copy the ISO off its stick or disc into a file first, exactly its length',
    });
  }
  return { sizeBytes: found.size, readAt: readerOf(handle.fd, found.size) };
}

/** Of pieces within pieces, the inner ones come first. @throws IsoError */
export async function isoParts(iso: OpenIso): Promise<IsoPart[]> {
  const found: [string, Extent][] = [];
  const rest = new Map(iso.files);
  const take = (path: string, name: string) => {
    const extent = rest.get(path);
    rest.delete(path);
    if (extent !== undefined) found.push([name, extent]);
    return extent;
  };
  take(ABOUT_FILES.lock, 'packages (image.lock.json)');
  take(ABOUT_FILES.spec, 'declaration (image.json)');
  take(KERNEL_PATH, 'kernel');
  const initrd = rest.get(INITRD_PATH);
  if (initrd !== undefined) {
    const members = [...readMembers(iso.readAt, initrd)].sort(([a], [b]) => layer(a) - layer(b));
    for (const [name, extent] of members) if (extent.sizeBytes > 0) found.push([`initrd: ${name}`, extent]);
  }
  take(INITRD_PATH, 'initrd');
  take(GRUB_CONFIG_PATH, 'grub.cfg');
  const esp = espIn(iso);
  if (esp !== undefined) found.push(['EFI system partition', esp]);
  const remaining = [...rest].sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1));
  found.push(...remaining);
  found.push(['system area (MBR and partition table)', { start: 0, sizeBytes: 16 * SECTOR_BYTES }]);
  found.push(['the whole ISO (folders, padding)', { start: 0, sizeBytes: iso.sizeBytes }]);
  return Promise.all(found.map(async ([name, extent]) => ({ name, extent, sha256: await hashed(iso.path, extent) })));
}

/** The layers of the root in the order in which they are packed, as the upper one leaves out what the lower one has. */
const layer = (name: string) => (name === 'base.sqfs' ? 0 : name === 'agent.sqfs' ? 1 : 2);

/** What the medium tells about itself before the boot images: those hold block numbers, which move with any size. */
const order = (path: string) => (path.startsWith(`${ABOUT_FOLDER}/`) ? 0 : 1);

/** UEFI §5.3: partition 2 of the GPT. Undefined where there is none. */
export function espIn({ readAt, sizeBytes }: Pick<OpenIso, 'readAt' | 'sizeBytes'>): Extent | undefined {
  const block = 512;
  const header = readAt({ start: block, sizeBytes: block });
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return undefined;
  const table = Number(header.readBigUInt64LE(72)) * block;
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128 || entryBytes > 4096 || table + 2 * entryBytes > sizeBytes) return undefined;
  const entry = readAt({ start: table + entryBytes, sizeBytes: 128 });
  const start = Number(entry.readBigUInt64LE(32)) * block;
  const end = (Number(entry.readBigUInt64LE(40)) + 1) * block;
  return start > 0 && start < end && end <= sizeBytes ? { start, sizeBytes: end - start } : undefined;
}

async function hashed(path: string, { start, sizeBytes }: Extent): Promise<string> {
  const hash = createHash('sha256');
  if (sizeBytes > 0) {
    const stream = createReadStream(path, { start, end: start + sizeBytes - 1, highWaterMark: 1 << 20 });
    for await (const chunk of stream) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
