/** What is written and what is not, over a lock file in a folder of its own. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatLock, type ImageLock } from '../lock-file.ts';
import { updateLock } from './update.ts';

let folder: string;
let told: string[];
const lockPath = () => join(folder, 'image.lock.json');

const lockOf = (version: string, imageSpecSha256 = '0'.repeat(64), sourceDateEpoch = 1): ImageLock => ({
  format: 'cpushare-image-lock',
  version: 1,
  imageSpecSha256,
  sourceDateEpoch,
  indexes: [],
  packages: [
    {
      name: 'tool',
      version,
      archive: 'debian',
      path: `pool/main/t/tool/tool_${version}_amd64.deb`,
      sizeBytes: 7,
      sha256: version.repeat(64),
      roles: ['root'],
    },
  ],
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'update-test-'));
  told = [];
  await writeFile(lockPath(), formatLock(lockOf('1')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const update = (after: ImageLock, write: boolean) =>
  updateLock({
    lockPath: lockPath(),
    words: ' --flavour test',
    resolve: async () => after,
    fetch: { cache: join(folder, 'cache'), mirrors: async () => ({ debian: [], 'debian-security': [] }) },
    write,
    print: (line) => told.push(line),
  });

describe('updateLock', () => {
  it('shows and does not write', async () => {
    expect(await update(lockOf('2'), false)).toBe('shown');
    expect(told.join('\n')).toContain('upgraded    tool 1 → 2');
    expect(await readFile(lockPath(), 'utf8')).toBe(formatLock(lockOf('1')));
  });

  it('writes the whole lock when asked, and says what to do next', async () => {
    expect(await update(lockOf('2'), true)).toBe('written');
    expect(await readFile(lockPath(), 'utf8')).toBe(formatLock(lockOf('2')));
    expect(told.at(-1)).toContain('image build --flavour test');
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('leaves a lock with today’s packages alone, even where the index is of a newer day', async () => {
    expect(await update(lockOf('1', undefined, 2), true)).toBe('nothing-to-do');
    expect(await readFile(lockPath(), 'utf8')).toBe(formatLock(lockOf('1')));
  });

  it('takes a changed image.json for an update of its own', async () => {
    expect(await update(lockOf('1', 'a'.repeat(64)), false)).toBe('shown');
    expect(told.join('\n')).toContain('8, 9: image.json changed');
  });

  it('needs a lock to compare with', async () => {
    await rm(lockPath());
    await expect(update(lockOf('2'), true)).rejects.toMatchObject({ code: 'LOCK_MISSING' });
    await writeFile(lockPath(), '{');
    await expect(update(lockOf('2'), true)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  });
});
