/** The verb as it is typed, on a loop device. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { attachLoop } from '../../../scripts/testing/loop-device.ts';
import { writeCommand } from './write.ts';

const loop = await attachLoop(8 * 2 ** 20);
const why = loop === undefined ? ' (skipped: needs root and a free loop device)' : '';

describe.skipIf(loop === undefined)(`image write${why}`, () => {
  const { path, backing, folder } = loop ?? { path: '', backing: '', folder: '' };
  const iso = join(folder, 'small.iso');
  const bytes = randomBytes(70_000);
  let said = '';

  beforeAll(() => writeFile(iso, bytes));
  afterAll(() => loop?.detach());
  beforeEach(() => {
    said = '';
    const hear = (text: unknown) => {
      said += `${text}\n`;
    };
    vi.spyOn(console, 'log').mockImplementation(hear);
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      hear(text);
      return true;
    });
    return () => vi.restoreAllMocks();
  });

  const image = (...words: string[]) =>
    yargs(['write', ...words])
      .exitProcess(false)
      .fail(false)
      .command(writeCommand)
      .parseAsync();

  it('refuses a fixed disk', async () => {
    await expect(image(path, '--iso', iso, '--yes')).rejects.toMatchObject({ code: 'STICK_NOT_REMOVABLE' });
  });

  it('says what will be lost, and writes nothing where nobody can be asked', async () => {
    await expect(image(path, '--iso', iso, '--force-fixed', path)).rejects.toMatchObject({ code: 'STICK_UNCONFIRMED' });
    expect(said).toContain(`All that is on ${path} will be lost: no name, 8.4 MB`);
    expect((await readFile(backing)).every((byte) => byte === 0)).toBe(true);
  });

  it('writes with --yes', async () => {
    await image(path, '--iso', iso, '--force-fixed', path, '--yes');
    expect(said).toContain('Written 70000 of 70000 bytes');
    expect(said).toContain(`${path} is ready: read back`);
    expect((await readFile(backing)).subarray(0, bytes.length).equals(bytes)).toBe(true);
  });

  it('names an ISO that is not there', async () => {
    await expect(image(path, '--iso', join(folder, 'none'))).rejects.toMatchObject({ code: 'ISO_MISSING' });
    await expect(image(path, '--iso', folder)).rejects.toMatchObject({ code: 'ISO_UNREADABLE' });
  });

  it('judges a configuration before anything is asked or written', async () => {
    const file = join(folder, 'cpushare.json');
    const attempt = () => image(path, '--iso', iso, '--force-fixed', path, '--yes', '--configuration', file);
    await writeFile(backing, Buffer.alloc(8 * 2 ** 20), { flag: 'r+' });
    await expect(attempt()).rejects.toMatchObject({ code: 'CONFIGURATION_FILE_UNREADABLE' });
    await writeFile(file, '{\n"broker": "http://b"}');
    await expect(attempt()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    await writeFile(file, Buffer.alloc(70_000, ' '));
    await expect(attempt()).rejects.toMatchObject({ code: 'CONFIGURATION_FILE_TOO_LARGE' });
    await writeFile(file, JSON.stringify({ broker: 'https://b:1', brokerPin: 'ab'.repeat(32) }));
    await expect(attempt()).rejects.toMatchObject({ code: 'ISO_PARTITION_TABLE' });
    expect((await readFile(backing)).every((byte) => byte === 0)).toBe(true);
  });

  it('lists sticks, and no fixed disk', async () => {
    await image();
    expect(said).not.toContain(path);
    expect(said).toMatch(/^No removable disk found|^Write one with/m);
  });
});
