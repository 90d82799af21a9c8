/** ISO, partition and backup table on a larger disk: judged by sgdisk, by mtools, and by the reader of the live image. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findVolume } from '../../src/sell-client/configuration/find-volume.ts';
import { type LockedPackages, unpackLocked } from '../testing/locked-packages.ts';
import { smallIso } from '../testing/small-iso.ts';
import { bytesWithConfiguration, configurationPartition } from './configuration-partition.ts';
import { fatVolume, VOLUME_BYTES } from './fat-volume.ts';

const configuration = new TextEncoder().encode('{"broker":"https://b:1","brokerPin":"00"}\n');
let folder: string;
let locked: LockedPackages;
let iso: string;
let isoBytes: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-partition-'));
  locked = await unpackLocked(['grub-pc-bin'], folder);
  iso = await smallIso(locked, folder);
  isoBytes = (await stat(iso)).size;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `image write` leaves on a disk of this size. */
async function written(diskBytes: number, name = 'disk'): Promise<string> {
  const disk = join(folder, name);
  await copyFile(iso, disk);
  await truncate(disk, diskBytes);
  const file = await open(disk, 'r+');
  try {
    for (const { offset, bytes } of await configurationPartition({ iso, isoBytes, diskBytes, configuration })) {
      await file.write(bytes, 0, bytes.length, offset);
    }
  } finally {
    await file.close();
  }
  return disk;
}

/** sgdisk says what is wrong and still ends with status 0. */
async function sgdisk(...args: string[]): Promise<string> {
  const { stdout } = await execa('sgdisk', args, { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  return stdout;
}

describe('a disk with ISO and configuration', () => {
  it.each([
    { name: 'the smallest', sizeOf: () => bytesWithConfiguration(isoBytes) },
    { name: 'one larger by an odd sector', sizeOf: () => bytesWithConfiguration(isoBytes) + 5 * 2 ** 20 + 512 },
  ])('has a sound partition table on $name', async ({ sizeOf }) => {
    const disk = await written(sizeOf());
    expect(await sgdisk('--verify', disk)).toContain('No problems found.');
    const shown = await sgdisk('--print', disk);
    expect(shown).toMatch(/^ +1 .* ISO9660$/m);
    expect(shown).toMatch(/^ +2 .* EF00 +Appended2$/m);
    expect(shown).toMatch(/^ +\d +\d+ +\d+ +2\.0 MiB +0700 +CPUSHARE$/m);
  });

  it('keeps every byte of the ISO but those of the table', async () => {
    const disk = await readFile(await written(bytesWithConfiguration(isoBytes)));
    const original = await readFile(iso);
    expect(disk.subarray(64 * 512, isoBytes).equals(original.subarray(64 * 512))).toBe(true);
    expect(disk.subarray(0, 446).equals(original.subarray(0, 446))).toBe(true);
  });

  it('is the same each time', async () => {
    const size = bytesWithConfiguration(isoBytes) + 2 ** 20;
    const [one, two] = await Promise.all([written(size, 'one'), written(size, 'two')]);
    expect((await readFile(one)).equals(await readFile(two))).toBe(true);
  });

  it('is refused by the smallest disk less a sector', async () => {
    await expect(written(bytesWithConfiguration(isoBytes) - 512)).rejects.toMatchObject({
      code: 'ISO_PARTITION_TABLE',
    });
  });

  it('is no second volume to whoever looks at the whole disk', async () => {
    const disk = await written(bytesWithConfiguration(isoBytes));
    expect(await found(disk)).toBeNull();
  });
});

async function found(file: string) {
  const folders = { blockClass: join(folder, 'block'), dev: join(folder, 'dev') };
  await mkdir(join(folders.blockClass, 'sda'), { recursive: true });
  await mkdir(folders.dev, { recursive: true });
  await writeFile(join(folders.blockClass, 'sda/size'), '1\n');
  await copyFile(file, join(folders.dev, 'sda'));
  return findVolume(folders, new Set());
}

describe('the volume in the partition', () => {
  it.each([0, 1, 1024, 1025, 65_536])('gives %i bytes back, to mtools and to the live image', async (size) => {
    const content = randomBytes(size);
    const image = join(folder, 'volume');
    const volume = fatVolume(content);
    expect(volume.length).toBe(VOLUME_BYTES);
    await writeFile(image, volume);
    const { stdout } = await locked.tools.run('mdir', ['-i', image, '-b', '::']);
    expect(stdout.trim()).toBe('::/cpushare.json');
    expect((await locked.tools.run('mlabel', ['-i', image, '-s', '::'])).stdout).toContain('CPUSHARE');
    const back = join(folder, 'back');
    await rm(back, { force: true });
    await locked.tools.run('mcopy', ['-i', image, '::cpushare.json', back]);
    expect((await readFile(back)).equals(content)).toBe(true);
    expect(Buffer.from((await found(image))?.file ?? []).equals(content)).toBe(true);
  });

  it('can be written to by others: a second file goes in beside ours', async () => {
    const image = join(folder, 'volume');
    await writeFile(image, fatVolume(configuration));
    await writeFile(join(folder, 'note.txt'), randomBytes(5000));
    await locked.tools.run('mcopy', ['-i', image, join(folder, 'note.txt'), '::note.txt']);
    expect(Buffer.from((await found(image))?.file ?? []).equals(configuration)).toBe(true);
  });

  it('refuses what does not fit', () => {
    expect(() => fatVolume(new Uint8Array(VOLUME_BYTES))).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_TOO_LARGE' }),
    );
  });
});
