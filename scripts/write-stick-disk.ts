/**
 * What the kernel and udev say about a disk and who uses it: /sys, /proc and /run/udev below `root`, so that tests can make
 * them up. Nothing is judged here. Names and labels come from the device, which may be anybody's: made harmless to print.
 */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface Contents {
  /** Kernel name, such as `sdb1`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly fileSystem: string | undefined;
  readonly label: string | undefined;
}

/** Something that uses the disk, one of its partitions, or a device made of them. */
export type Use =
  | { readonly kind: 'mount'; readonly device: string; readonly at: string }
  | { readonly kind: 'swap'; readonly device: string }
  | { readonly kind: 'holder'; readonly device: string; readonly holder: string };

export interface Disk extends Contents {
  /** `/dev/NAME`. */
  readonly path: string;
  /** `major:minor`. */
  readonly number: string;
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly readOnly: boolean;
  readonly optical: boolean;
  /** The kernel's removable flag, a USB port anywhere on the way to it, or an SD card. */
  readonly removable: boolean;
  /** Counts up with each disk and each medium put in (Linux 5.15); another number is another disk. */
  readonly sequence: string | undefined;
  readonly partitions: readonly Contents[];
  readonly uses: readonly Use[];
}

/** `partition` when the number was that of a partition; `disk` is then the whole it lies on. */
export interface Located {
  readonly disk: Disk;
  readonly partition: string | undefined;
}

/** `undefined` when the kernel has no such block device. `number` is `major:minor`. */
export async function locateDisk(number: string, root = '/'): Promise<Located | undefined> {
  const folder = await realpath(join(root, 'sys/dev/block', number)).catch(() => undefined);
  if (folder === undefined) return undefined;
  const isPartition = (await line(join(folder, 'partition'))) !== undefined;
  const disk = await readDisk(isPartition ? dirname(folder) : folder, root);
  return { disk, partition: isPartition ? basename(folder) : undefined };
}

/** All disks of /sys/block, by name. */
export async function listDisks(root = '/'): Promise<Disk[]> {
  const names = (await entries(join(root, 'sys/block'))).sort();
  return Promise.all(names.map(async (name) => readDisk(await realpath(join(root, 'sys/block', name)), root)));
}

async function readDisk(folder: string, root: string): Promise<Disk> {
  const at = (file: string) => line(join(folder, file));
  const own = await contents(folder, root);
  const partitions = await Promise.all((await partitionFolders(folder)).map((one) => contents(one, root)));
  const scsiType = await at('device/type');
  return {
    ...own,
    path: `/dev/${own.name}`,
    number: (await at('dev')) ?? '',
    vendor: await at('device/vendor'),
    model: (await at('device/model')) ?? (await at('device/name')),
    readOnly: (await at('ro')) === '1',
    optical: scsiType === '5',
    removable: (await at('removable')) === '1' || /\/usb\d+\//.test(folder) || scsiType === 'SD',
    sequence: await at('diskseq'),
    partitions,
    uses: await usesOf(folder, root),
  };
}

async function contents(folder: string, root: string): Promise<Contents> {
  const number = await line(join(folder, 'dev'));
  const udev = await text(join(root, `run/udev/data/b${number}`));
  const property = (name: string) => printable(new RegExp(`^E:${name}=(.*)$`, 'm').exec(udev)?.[1]);
  return {
    name: nameOf(folder),
    sizeBytes: 512 * Number((await line(join(folder, 'size'))) ?? 0), // always counted in 512 bytes, whatever the sectors
    fileSystem: property('ID_FS_TYPE'),
    label: property('ID_FS_LABEL') ?? property('ID_PART_ENTRY_NAME'),
  };
}

async function partitionFolders(disk: string): Promise<string[]> {
  const folders = (await entries(disk)).sort().map((name) => join(disk, name));
  const isPartition = await Promise.all(folders.map(async (one) => (await line(join(one, 'partition'))) !== undefined));
  return folders.filter((_, index) => isPartition[index]);
}

async function usesOf(disk: string, root: string): Promise<Use[]> {
  const held: Use[] = [];
  const folders = [disk, ...(await partitionFolders(disk))];
  for (const folder of folders) {
    for (const holder of await entries(join(folder, 'holders'))) {
      held.push({ kind: 'holder', device: nameOf(folder), holder: nameOf(holder) });
      const above = await realpath(join(root, 'sys/block', holder)).catch(() => undefined);
      if (above !== undefined && !folders.includes(above)) folders.push(above); // walked in its turn: LVM over RAID over it
    }
  }
  const devices = await Promise.all(
    folders.map(async (folder) => ({ name: nameOf(folder), number: await line(join(folder, 'dev')) })),
  );
  const mounts = parseMounts(await text(join(root, 'proc/self/mountinfo')));
  const swaps = parseSwaps(await text(join(root, 'proc/swaps')));
  return [
    ...devices.flatMap(({ name, number }) => [
      // btrfs shows a number of its own, so the name counts as well
      ...mounts
        .filter((mount) => mount.number === number || mount.source === `/dev/${name}`)
        .map(({ at }) => ({ kind: 'mount', device: name, at: printable(at) ?? '' }) as const),
      ...swaps.filter((path) => path === `/dev/${name}`).map(() => ({ kind: 'swap', device: name }) as const),
    ]),
    ...held,
  ];
}

/** proc_pid_mountinfo(5): id parent major:minor root mount-point options [optional…] - type source options. */
function parseMounts(mountinfo: string) {
  return mountinfo.split('\n').flatMap((row) => {
    const [before = '', after = ''] = row.split(' - ');
    const [, , number, , at] = before.split(' ');
    const source = after.split(' ')[1];
    return number === undefined || at === undefined
      ? []
      : [{ number, at: unescaped(at), source: unescaped(source ?? '') }];
  });
}

const parseSwaps = (swaps: string): string[] =>
  swaps.split('\n').flatMap((row) => (row.startsWith('/') ? [unescaped(row.split(/\s/)[0] ?? '')] : []));

/** The kernel writes space, tab, newline and backslash as three octal digits. */
const unescaped = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** sysfs writes `/` in a name as `!`. */
const nameOf = (folder: string) => basename(folder).replaceAll('!', '/');

const printable = (value: string | undefined) => value?.replace(/[\p{Cc}\p{Cf}]/gu, '?').trim() || undefined;

const text = (path: string) => readFile(path, 'utf8').catch(() => '');
const entries = (folder: string) => readdir(folder).catch((): string[] => []);

async function line(path: string): Promise<string | undefined> {
  return printable((await readFile(path, 'utf8').catch(() => undefined))?.trim());
}
