import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { unpackLocked } from '../../../scripts/testing/locked-packages.ts';
import type { Tools } from '../../../scripts/tools.ts';
import { type DeviceFolders, findVolume } from './find-volume.ts';

let toolsFolder: string;
let tools: Tools;

beforeAll(async () => {
  toolsFolder = await mkdtemp(join(tmpdir(), 'volume-tools-'));
  tools = (await unpackLocked([], toolsFolder)).tools;
});
afterAll(() => rm(toolsFolder, { recursive: true, force: true }));

/** Longer than any cluster tried here, so that a chain of clusters has to be followed. */
const content = `{"note":"${randomBytes(9000).toString('hex')}"}\n`;
let folder: string;
let folders: DeviceFolders;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'volumes-'));
  folders = { blockClass: join(folder, 'block'), dev: join(folder, 'dev') };
  await mkdir(folders.dev);
  await writeFile(join(folder, 'cpushare.json'), content);
  await writeFile(join(folder, 'another long name.txt'), 'not this one');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What the kernel shows of a device: a folder with its size and the number of the medium in it. */
async function device(name: string, mediumNumber = 1): Promise<string> {
  await mkdir(join(folders.blockClass, name), { recursive: true });
  await writeFile(join(folders.blockClass, name, 'size'), '2048\n');
  await writeFile(join(folders.blockClass, name, 'diskseq'), `${mediumNumber}\n`);
  return join(folders.dev, name);
}

async function fat(
  path: string,
  sizeMiB: number,
  options: string[],
  files = ['another long name.txt', 'cpushare.json'],
) {
  await writeFile(path, '');
  await truncate(path, sizeMiB * 1024 * 1024);
  await tools.run('mformat', ['-i', path, ...options, '::']);
  for (const file of files) await tools.run('mcopy', ['-i', path, join(folder, file), `::${file}`]);
}

async function iso(path: string, options: string[], files = ['cpushare.json']) {
  const root = join(folder, 'iso');
  await mkdir(root, { recursive: true });
  for (const file of files) await writeFile(join(root, file), content);
  await tools.run('xorriso', ['-as', 'mkisofs', '-quiet', ...options, '-o', path, root]);
}

const text = (file: Uint8Array | null | undefined) => Buffer.from(file ?? []).toString();

describe('FAT volumes made by mtools', () => {
  it.each([
    { name: 'FAT12 (floppy)', sizeMiB: 1, options: ['-h', '2', '-t', '32', '-s', '32', '-v', 'CPUSHARE'] },
    { name: 'FAT16', sizeMiB: 32, options: ['-T', '65536', '-h', '64', '-s', '32', '-v', 'CPUSHARE'] },
    {
      name: 'FAT32',
      sizeMiB: 64,
      options: ['-F', '-c', '1', '-T', '131072', '-h', '64', '-s', '32', '-v', 'CPUSHARE'],
    },
  ])('reads the file from $name', async ({ sizeMiB, options }) => {
    await fat(await device('sdb1'), sizeMiB, options);
    const found = await findVolume(folders, new Set());
    expect(found).toMatchObject({ format: 'FAT', device: 'sdb1' });
    expect(text(found?.file)).toBe(content);
  });

  it('takes the label of the root directory over that of the boot sector', async () => {
    const path = await device('sdb1');
    await fat(path, 32, ['-T', '65536', '-h', '64', '-s', '32', '-v', 'OTHER']);
    expect(await findVolume(folders, new Set())).toBeNull();
    await tools.run('mlabel', ['-i', path, '::CPUSHARE']);
    expect((await findVolume(folders, new Set()))?.device).toBe('sdb1');
  });

  it('says that the file is missing, and refuses one that is too large', async () => {
    const path = await device('sdb1');
    await fat(path, 1, ['-h', '2', '-t', '32', '-s', '32', '-v', 'CPUSHARE'], []);
    expect((await findVolume(folders, new Set()))?.file).toBeNull();
    await writeFile(join(folder, 'cpushare.json'), randomBytes(65_537));
    await tools.run('mcopy', ['-i', path, join(folder, 'cpushare.json'), '::cpushare.json']);
    await expect(findVolume(folders, new Set())).rejects.toMatchObject({ code: 'CONFIGURATION_FILE_TOO_LARGE' });
  });

  it('looks at each medium once, and again when it was changed', async () => {
    const path = await device('sdb');
    await fat(path, 1, ['-h', '2', '-t', '32', '-s', '32', '-v', 'OTHER']);
    const seen = new Set<string>();
    expect(await findVolume(folders, seen)).toBeNull();
    await fat(path, 1, ['-h', '2', '-t', '32', '-s', '32', '-v', 'CPUSHARE']);
    expect(await findVolume(folders, seen)).toBeNull();
    await device('sdb', 2);
    expect(text((await findVolume(folders, seen))?.file)).toBe(content);
  });
});

describe('ISO 9660 volumes made by xorriso', () => {
  it.each([
    { name: 'level 1 names', options: ['-V', 'CPUSHARE'] },
    { name: 'Rock Ridge', options: ['-V', 'CPUSHARE', '-R'] },
    { name: 'Joliet', options: ['-V', 'CPUSHARE', '-J'] },
  ])('reads the file with $name', async ({ options }) => {
    await iso(await device('sr0'), options);
    const found = await findVolume(folders, new Set());
    expect(found).toMatchObject({ format: 'ISO 9660', device: 'sr0' });
    expect(text(found?.file)).toBe(content);
  });

  it('passes over a medium of another label, such as the one the machine booted from', async () => {
    await iso(await device('sr0'), ['-V', 'CPUSHARE_LIVE', '-R', '-J']);
    expect(await findVolume(folders, new Set())).toBeNull();
  });
});

describe('anything else', () => {
  it.each([
    { name: 'empty device', bytes: new Uint8Array(0) },
    { name: 'short device', bytes: new Uint8Array(700) },
    { name: 'noise', bytes: randomBytes(200_000) },
  ])('$name: no volume, no error', async ({ bytes }) => {
    await writeFile(await device('sdc'), bytes);
    expect(await findVolume(folders, new Set())).toBeNull();
  });

  it('is not looked for on our own RAM devices', async () => {
    await writeFile(await device('loop0'), new Uint8Array(1024 * 1024));
    const seen = new Set<string>();
    expect(await findVolume(folders, seen)).toBeNull();
    expect(seen.size).toBe(0);
  });

  it('never hangs or crashes on a damaged volume: each byte of its head turned over', async () => {
    const path = await device('sdb');
    await fat(path, 1, ['-h', '2', '-t', '32', '-s', '32', '-v', 'CPUSHARE']);
    const { readFile } = await import('node:fs/promises');
    const good = await readFile(path);
    for (let at = 0; at < 96; at += 1) {
      const bad = Buffer.from(good);
      bad.writeUInt8((bad[at] ?? 0) ^ 0xff, at);
      await writeFile(path, bad);
      const outcome = await findVolume(folders, new Set()).then(
        (found) => found === null || found.format === 'FAT',
        (error) => ['CONFIGURATION_VOLUME_UNREADABLE', 'CONFIGURATION_FILE_TOO_LARGE'].includes(error.code),
      );
      expect(outcome).toBe(true);
    }
  });
});
