import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdDataFolder } from './data-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-data-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the data folder', () => {
  it('is made private, also when it was not', async () => {
    const made = await holdDataFolder(join(folder, 'a/b'));
    expect((await stat(made.path)).mode & 0o777).toBe(0o700);
    await made.release();
    await mkdir(join(folder, 'open'));
    await chmod(join(folder, 'open'), 0o755);
    const closed = await holdDataFolder(join(folder, 'open'));
    expect((await stat(closed.path)).mode & 0o777).toBe(0o700);
    await closed.release();
  });

  it('is held by one broker at a time, whatever path it is reached by', async () => {
    const first = await holdDataFolder(join(folder, 'a'));
    await symlink(join(folder, 'a'), join(folder, 'link'));
    await expect(holdDataFolder(join(folder, 'link'))).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    const other = await holdDataFolder(join(folder, 'b'));
    await first.release();
    const second = await holdDataFolder(join(folder, 'link'));
    await Promise.all([second.release(), other.release()]);
  });

  it('loses what an earlier start left half made, and nothing else', async () => {
    const names = [
      'broker-identity.pem',
      'broker-identity.pem.0123456789ab.new',
      'database',
      'database.ba9876543210.new',
      'my.new',
    ];
    for (const name of names) await mkdir(join(folder, name, 'inside'), { recursive: true });
    await (await holdDataFolder(folder)).release();
    expect((await readdir(folder)).sort()).toEqual(['broker-identity.pem', 'database', 'my.new']);
  });

  it('is refused where a file is in the way', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(holdDataFolder(join(folder, 'file/inside'))).rejects.toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
  });
});
