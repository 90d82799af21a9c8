/** What somebody with the stick in hand can do to it: change bytes in place, so that everything else still boots. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A copy of `iso` whose grub.cfg (on the ISO 9660 volume and in the ESP) is edited; the length must stay the same. */
export async function withEditedGrubConfig(
  iso: string,
  folder: string,
  edit: (config: string) => string,
): Promise<string> {
  const image = await readFile(iso);
  const start = image.indexOf('# Every line up to `boot` is measured');
  const end = image.indexOf('\nreboot\n', start) + '\nreboot\n'.length;
  const original = image.subarray(start, end).toString('latin1');
  const edited = Buffer.from(edit(original), 'latin1');
  if (edited.length !== original.length)
    throw new Error(`the edit changes the length by ${edited.length - original.length}`);
  let copies = 0;
  const needle = Buffer.from(original, 'latin1');
  for (let at = image.indexOf(needle); at !== -1; at = image.indexOf(needle, at + 1)) {
    edited.copy(image, at);
    copies += 1;
  }
  if (copies !== 2) throw new Error(`expected grub.cfg twice in the image, found it ${copies} times`);
  return await save(folder, image);
}

/** Takes as many characters out of the lines after `boot` (which run only after a failure) as were added before it. */
export function keepLength(original: string, edited: string): string {
  const surplus = edited.length - original.length;
  const at = edited.indexOf('Next step:');
  return edited.slice(0, at) + edited.slice(at + surplus);
}

/** A copy of `iso` with one byte of the initrd changed that does not keep it from working: a digit of a file's date. */
export async function withOneByteChangedInInitrd(iso: string, folder: string): Promise<string> {
  const image = await readFile(iso);
  const header = image.indexOf('070701');
  const lastDateDigit = header + 6 + 5 * 8 + 7; // newc: magic, ino, mode, uid, gid, nlink, then mtime
  const digit = String.fromCharCode(image[lastDateDigit] ?? 0);
  if (header === -1 || !/[0-9A-Fa-f]/.test(digit)) throw new Error('no newc header found in the image');
  image[lastDateDigit] = (digit === '0' ? '1' : '0').charCodeAt(0);
  return await save(folder, image);
}

/** A copy of `iso` whose kernel is not what Debian signed: one byte in the middle of it differs. */
export async function withOneByteChangedInKernel(iso: string, folder: string): Promise<string> {
  const image = await readFile(iso);
  // The boot protocol's magic, at 0x202 of a file that begins as a PE file does (Documentation/arch/x86/boot.rst).
  let header = image.indexOf('HdrS');
  while (header !== -1 && image.toString('latin1', header - 0x202, header - 0x200) !== 'MZ') {
    header = image.indexOf('HdrS', header + 1);
  }
  if (header === -1) throw new Error('no kernel found in the image');
  const place = header + 4 * 1024 * 1024;
  image[place] = (image[place] ?? 0) ^ 1;
  return await save(folder, image);
}

/** A copy of `iso` whose root file system cannot be mounted: a squashfs of a version that there is not. */
export async function withUnreadableRoot(iso: string, folder: string): Promise<string> {
  const image = await readFile(iso);
  const VERSION = 28; // struct squashfs_super_block: s_magic, …, s_major
  let start = image.indexOf('hsqs');
  while (start !== -1 && image.readUInt32LE(start + VERSION) !== 4) start = image.indexOf('hsqs', start + 1);
  if (start === -1) throw new Error('no squashfs found in the image');
  image.writeUInt16LE(5, start + VERSION);
  return await save(folder, image);
}

async function save(folder: string, image: Buffer): Promise<string> {
  const path = join(folder, 'tampered.iso');
  await writeFile(path, image);
  return path;
}
