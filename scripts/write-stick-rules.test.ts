/** The rules over made-up /sys, /proc and /run trees, laid out as Linux lays them out. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDisks, locateDisk } from './write-stick-disk.ts';
import { deviceNumber, openFailure } from './write-stick-open.ts';
import { refusalOf, sayLoss } from './write-stick-rules.ts';

const GB = 1_000_000_000;
const USB = 'sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb';
const SATA = 'sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cpushare-stick-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, content: string) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

async function link(at: string, to: string) {
  await mkdir(dirname(join(root, at)), { recursive: true });
  await symlink(relative(dirname(join(root, at)), join(root, to)), join(root, at));
}

/** `folder` ends in the kernel name; partitions are its sub-folders. */
async function device(folder: string, number: string, sizeBytes: number, files: Record<string, string> = {}) {
  await put(`${folder}/dev`, `${number}\n`);
  await put(`${folder}/size`, `${sizeBytes / 512}\n`);
  for (const [name, value] of Object.entries(files)) await put(`${folder}/${name}`, `${value}\n`);
  await link(`sys/dev/block/${number}`, folder);
  if (files.partition === undefined) await link(`sys/block/${folder.split('/').at(-1)}`, folder);
}

const stick = (files: Record<string, string> = {}, sizeBytes = 8 * GB) =>
  device(USB, '8:16', sizeBytes, {
    removable: '1',
    ro: '0',
    'device/vendor': 'Kingston',
    'device/model': 'DT',
    ...files,
  });
const stickPartition = () => device(`${USB}/sdb1`, '8:17', 4 * GB, { partition: '1' });
const fixed = () => device(SATA, '8:0', 500 * GB, { removable: '0', ro: '0', 'device/model': 'WDC' });
const mounted = (number: string, source: string, at: string) =>
  put('proc/self/mountinfo', `29 1 ${number} / ${at} rw,relatime shared:1 - ext4 ${source} rw\n`);

async function judge(number: string, options: { isoBytes?: number; forceFixed?: string } = {}) {
  const located = await locateDisk(number, root);
  if (located === undefined) throw new Error(`no ${number} in the made-up tree`);
  return refusalOf(located, { isoBytes: options.isoBytes ?? 64_000_000, forceFixed: options.forceFixed });
}

describe('a disk that may be written', () => {
  it('is a free stick', async () => {
    await stick();
    await stickPartition();
    expect(await judge('8:16')).toBeUndefined();
  });

  it('is a disk behind USB that does not call itself removable', async () => {
    await stick({ removable: '0' });
    expect(await judge('8:16')).toBeUndefined();
  });

  it('is an SD card in a slot of its own', async () => {
    const at = 'sys/devices/pci0000:00/0000:02:00.0/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0';
    await device(at, '179:0', 8 * GB, { removable: '0', 'device/type': 'SD' });
    expect(await judge('179:0')).toBeUndefined();
  });

  it('is a fixed one only when it is named once more', async () => {
    await fixed();
    expect(await judge('8:0')).toMatchObject({ code: 'STICK_NOT_REMOVABLE', message: expect.stringContaining('WDC') });
    expect(await judge('8:0', { forceFixed: '/dev/sdb' })).toMatchObject({ code: 'STICK_NOT_REMOVABLE' });
    expect(await judge('8:0', { forceFixed: '/dev/sda' })).toBeUndefined();
    expect(await judge('8:0', { forceFixed: 'sda' })).toBeUndefined();
  });

  it('has room for the ISO, to the byte', async () => {
    await stick({}, 512 * 1000);
    expect(await judge('8:16', { isoBytes: 512_000 })).toBeUndefined();
    expect(await judge('8:16', { isoBytes: 512_001 })).toMatchObject({
      code: 'STICK_TOO_SMALL',
      message: '/dev/sdb has 512000 bytes, the image needs 512001',
    });
  });
});

describe('a disk that may not be written', () => {
  it('is none at all', async () => {
    await expect(deviceNumber(join(root, 'sdx'))).rejects.toMatchObject({ code: 'STICK_NOT_A_DISK' });
    await put('file', 'text');
    await expect(deviceNumber(join(root, 'file'))).rejects.toMatchObject({ code: 'STICK_NOT_A_DISK' });
    expect(await locateDisk('8:16', root)).toBeUndefined();
  });

  it('is a partition: the disk is named', async () => {
    await stick();
    await stickPartition();
    expect(await judge('8:17')).toMatchObject({
      code: 'STICK_IS_PARTITION',
      message: '/dev/sdb1 is a partition of the disk /dev/sdb',
    });
  });

  it.each([
    { name: 'itself', number: '8:16', source: '/dev/sdb' },
    { name: 'a partition', number: '8:17', source: '/dev/sdb1' },
    { name: 'a partition whose number the file system hides', number: '0:38', source: '/dev/sdb1' },
    { name: 'a partition under another name', number: '8:17', source: '/dev/disk/by-label/X' },
  ])('is mounted: $name', async ({ number, source }) => {
    await stick();
    await stickPartition();
    await mounted(number, source, '/media/my\\040stick');
    const refusal = await judge('8:16');
    expect(refusal).toMatchObject({ code: 'STICK_MOUNTED', message: expect.stringContaining('/media/my stick') });
    expect(refusal?.nextStep).toMatch(/^sudo umount \/dev\/sdb1?$/);
  });

  it('holds the running system, also forced', async () => {
    await fixed();
    await device(`${SATA}/sda2`, '8:2', 400 * GB, { partition: '2' });
    await mounted('8:2', '/dev/root', '/');
    expect(await judge('8:0', { forceFixed: '/dev/sda' })).toMatchObject({ code: 'STICK_HOLDS_SYSTEM' });
  });

  it('holds the running system below LVM and encryption', async () => {
    await stick();
    await stickPartition();
    await device('sys/devices/virtual/block/dm-0', '254:0', 4 * GB);
    await device('sys/devices/virtual/block/dm-1', '254:1', 4 * GB);
    await put(`${USB}/sdb1/holders/dm-0`, '');
    await put('sys/devices/virtual/block/dm-0/holders/dm-1', '');
    await mounted('254:1', '/dev/mapper/vg-root', '/');
    expect(await judge('8:16')).toMatchObject({ code: 'STICK_HOLDS_SYSTEM' });
    await mounted('8:99', '/dev/sdz', '/');
    expect(await judge('8:16')).toMatchObject({
      code: 'STICK_HELD',
      message: '/dev/sdb is part of other devices: /dev/sdb1 by dm-0, /dev/dm-0 by dm-1',
    });
  });

  it('holds swap', async () => {
    await stick();
    await stickPartition();
    await put('proc/swaps', 'Filename\tType\tSize\tUsed\tPriority\n/dev/sdb1   partition\t976\t0\t-2\n');
    expect(await judge('8:16')).toMatchObject({ code: 'STICK_IS_SWAP', nextStep: 'sudo swapoff /dev/sdb1' });
  });

  it('is read-only, or a CD drive', async () => {
    await stick({ ro: '1' });
    expect(await judge('8:16')).toMatchObject({ code: 'STICK_READ_ONLY' });
    await device('sys/devices/pci0000:00/ata2/block/sr0', '11:0', GB, { removable: '1', 'device/type': '5' });
    expect(await judge('11:0')).toMatchObject({ code: 'STICK_READ_ONLY', message: '/dev/sr0 is a CD or DVD drive' });
  });

  it('is an empty card reader', async () => {
    await stick({}, 0);
    expect(await judge('8:16', { isoBytes: 0 })).toMatchObject({ code: 'STICK_TOO_SMALL' });
  });
});

describe('a disk that the kernel does not open', () => {
  it.each([
    { from: 'EACCES', code: 'STICK_PERMISSION', next: /sudo npx cpushare image write \/dev\/sdb$/ },
    { from: 'EPERM', code: 'STICK_PERMISSION', next: /sudo/ },
    { from: 'EBUSY', code: 'STICK_BUSY', next: /unmount/ },
    { from: 'EROFS', code: 'STICK_READ_ONLY', next: /lock switch/ },
    { from: 'EIO', code: 'STICK_WRITE_FAILED', next: /put it in again/ },
  ])('$from is $code', ({ from, code, next }) => {
    const cause = Object.assign(new Error(from), { code: from });
    const told = openFailure('/dev/sdb', cause);
    expect(told).toMatchObject({ code, cause });
    expect(told.nextStep).toMatch(next);
  });
});

describe('what will be lost', () => {
  it('is told with names, sizes and labels, and nothing in them steers the terminal', async () => {
    await stick({ 'device/model': 'Data\u001b[2JTraveler' });
    await stickPartition();
    await put('run/udev/data/b8:17', 'S:disk/by-label/x\nE:ID_FS_TYPE=vfat\nE:ID_FS_LABEL=HOLIDAY\u001b]0;x\n');
    const located = await locateDisk('8:16', root);
    expect(located && sayLoss(located.disk)).toEqual([
      'All that is on /dev/sdb will be lost: Kingston Data?[2JTraveler, 8.0 GB',
      '  sdb1  4.0 GB  vfat "HOLIDAY?]0;x"',
    ]);
  });

  it('is told where the file system has the disk whole', async () => {
    await stick();
    await put('run/udev/data/b8:16', 'E:ID_FS_TYPE=exfat\n');
    const [disk] = await listDisks(root);
    expect(disk && sayLoss(disk)).toContain('  sdb  8.0 GB  exfat');
  });
});
