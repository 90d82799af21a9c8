/** Which disk may be overwritten. Pure: facts in, the reason against it out. */
import { CodedError } from '../src/shared/errors.ts';
import type { Contents, Disk, Located, Use } from './write-stick-disk.ts';

export class StickError extends CodedError<
  | 'STICK_NOT_A_DISK'
  | 'STICK_IS_PARTITION'
  | 'STICK_HOLDS_SYSTEM'
  | 'STICK_MOUNTED'
  | 'STICK_IS_SWAP'
  | 'STICK_HELD'
  | 'STICK_READ_ONLY'
  | 'STICK_NOT_REMOVABLE'
  | 'STICK_TOO_SMALL'
  | 'STICK_PERMISSION'
  | 'STICK_UNCONFIRMED'
  | 'STICK_CHANGED'
  | 'STICK_BUSY'
  | 'STICK_WRITE_FAILED'
  | 'STICK_READ_FAILED'
  | 'STICK_DIFFERS'
  | 'STICK_INTERRUPTED'
  | 'ISO_MISSING'
  | 'ISO_UNREADABLE'
> {}

export interface Wanted {
  /** What must fit on it. */
  readonly isoBytes: number;
  /** The fixed disk that the user named on purpose: its path or kernel name. */
  readonly forceFixed: string | undefined;
}

/** The first reason not to write there, the gravest first. */
export function refusalOf({ disk, partition }: Located, { isoBytes, forceFixed }: Wanted): StickError | undefined {
  const { path, uses } = disk;
  if (partition !== undefined) {
    return new StickError('STICK_IS_PARTITION', `/dev/${partition} is a partition of the disk ${path}`, {
      nextStep: `the image is a whole disk with its own partition table: name ${path}, if all on it may be lost`,
    });
  }
  const mounts = uses.filter((use) => use.kind === 'mount');
  const system = mounts.find(({ at }) => at === '/');
  if (system !== undefined) {
    return new StickError('STICK_HOLDS_SYSTEM', `${path} holds the running system: ${sayUse(system)}`, {
      nextStep: 'name another disk; `npx cpushare image write` lists those that can be written',
    });
  }
  if (mounts.length > 0) {
    return new StickError('STICK_MOUNTED', `${path} is in use: ${mounts.map(sayUse).join(', ')}`, {
      nextStep: `sudo umount ${[...new Set(mounts.map(({ device }) => `/dev/${device}`))].join(' ')}`,
    });
  }
  const swaps = uses.filter((use) => use.kind === 'swap');
  if (swaps.length > 0) {
    return new StickError('STICK_IS_SWAP', `${path} is in use: ${swaps.map(sayUse).join(', ')}`, {
      nextStep: `sudo swapoff ${swaps.map(({ device }) => `/dev/${device}`).join(' ')}`,
    });
  }
  const holders = uses.filter((use) => use.kind === 'holder');
  if (holders.length > 0) {
    return new StickError('STICK_HELD', `${path} is part of other devices: ${holders.map(sayUse).join(', ')}`, {
      nextStep: 'stop them first (LVM: vgchange -an, RAID: mdadm --stop, encrypted: cryptsetup close)',
    });
  }
  if (disk.readOnly || disk.optical) {
    const why = disk.optical ? 'is a CD or DVD drive' : 'cannot be written: it is read-only';
    return new StickError('STICK_READ_ONLY', `${path} ${why}`, {
      nextStep: disk.optical
        ? 'burn the ISO with a CD program, as an image'
        : 'move the lock switch of the stick or card, or take another',
    });
  }
  if (!disk.removable && forceFixed !== path && forceFixed !== disk.name) {
    return new StickError('STICK_NOT_REMOVABLE', `${path} (${sayDisk(disk)}) is a fixed disk, not a stick`, {
      nextStep: `look twice with lsblk; if all on it may be lost, add: --force-fixed ${path}`,
    });
  }
  if (disk.sizeBytes < isoBytes || disk.sizeBytes === 0) {
    const empty = disk.sizeBytes === 0 ? ' (is there a card or stick in it?)' : '';
    const message = `${path} has ${disk.sizeBytes} bytes${empty}, the image needs ${isoBytes}`;
    return new StickError('STICK_TOO_SMALL', message, { nextStep: 'take a larger stick' });
  }
  return undefined;
}

/** What the user is about to lose, in lines. */
export function sayLoss(disk: Disk): string[] {
  const parts = disk.partitions.length > 0 ? disk.partitions : disk.fileSystem === undefined ? [] : [disk];
  return [
    `All that is on ${disk.path} will be lost: ${sayDisk(disk)}`,
    ...(parts.length === 0 ? ['  no partitions seen on it'] : parts.map((part) => `  ${sayContents(part)}`)),
  ];
}

export function sayDisk(disk: Disk): string {
  const maker = [disk.vendor, disk.model].filter((word) => word !== undefined).join(' ') || 'no name';
  return `${maker}, ${saySize(disk.sizeBytes)}`;
}

/** As sticks are sold: powers of ten. */
export function saySize(bytes: number): string {
  const [unit, name] = bytes >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  return `${(bytes / unit).toFixed(1)} ${name}`;
}

function sayContents({ name, sizeBytes, fileSystem, label }: Contents): string {
  const named = label === undefined ? '' : ` "${label}"`;
  return `${name}  ${saySize(sizeBytes)}  ${fileSystem ?? 'unknown contents'}${named}`;
}

function sayUse(use: Use): string {
  if (use.kind === 'mount') return `/dev/${use.device} is mounted on ${use.at}`;
  if (use.kind === 'swap') return `/dev/${use.device} is swap`;
  return `/dev/${use.device} by ${use.holder}`;
}
