/** The seller's volume among the machine's block devices: the first, by name, that carries the label. */
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockReader, broken, type LabelledVolume } from './block-reader.ts';
import { readFat } from './fat.ts';
import { readIso9660 } from './iso9660.ts';

export interface FoundVolume extends LabelledVolume {
  /** Kernel name, such as `sdb1`. */
  readonly device: string;
}

export interface DeviceFolders {
  /** /sys/class/block */
  readonly blockClass: string;
  /** /dev */
  readonly dev: string;
}

/** Our own RAM-backed devices: never the seller's. */
const NOT_MEDIA = /^(loop|ram|zram|dm-|md|nbd)/;

/**
 * `seen` remembers the media that were looked at and are not the volume, so that a scan repeated every second leaves
 * drives at rest; a changed medium has another sequence number. @throws VolumeError when the volume is damaged
 */
export async function findVolume(folders: DeviceFolders, seen: Set<string>): Promise<FoundVolume | null> {
  const names = (await readdir(folders.blockClass).catch(() => [])).filter((name) => !NOT_MEDIA.test(name)).sort();
  for (const name of names) {
    const medium = await mediumOf(join(folders.blockClass, name), name);
    if (medium === null || seen.has(medium)) continue;
    const volume = await inspect(join(folders.dev, name));
    if (volume !== null) return { ...volume, device: name };
    seen.add(medium);
  }
  return null;
}

/** A name for what is in the drive now; `null` for an empty one. */
async function mediumOf(folder: string, name: string): Promise<string | null> {
  const size = await attribute(join(folder, 'size'));
  if (size === '' || size === '0') return null;
  // A partition shares the sequence number of its disk.
  const sequence = (await attribute(join(folder, 'diskseq'))) || (await attribute(join(folder, '..', 'diskseq')));
  return `${name} ${size} ${sequence}`;
}

async function attribute(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}

/** A drive that cannot be opened or read holds no configuration; only a damaged volume with our label is an error. */
async function inspect(path: string): Promise<LabelledVolume | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (handle === null) return null;
  const reader: BlockReader = {
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      if (bytesRead < length) throw broken(`it ends at byte ${offset + bytesRead}`);
      return bytes;
    },
  };
  try {
    return (
      (await ifReadable(readIso9660(reader), reader, 17 * 2048)) ?? (await ifReadable(readFat(reader), reader, 512))
    );
  } finally {
    await handle.close();
  }
}

/** A volume too short for the format's first structures, or an unreadable disk, is simply not of that format. */
async function ifReadable(
  attempt: Promise<LabelledVolume | null>,
  reader: BlockReader,
  headBytes: number,
): Promise<LabelledVolume | null> {
  try {
    return await attempt;
  } catch (error) {
    const hasHead = await reader.read(0, headBytes).then(
      () => true,
      () => false,
    );
    if (!hasHead || (error as NodeJS.ErrnoException).code === 'EIO') return null;
    throw error;
  }
}
