/** A disk that really fills up, in the middle of a build and in the middle of a tool: one clear error, nothing half-made. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseMirrors } from './apt/mirrors.ts';
import { buildImage } from './build.ts';
import { cacheFolder } from './cache-folder.ts';
import { projectRoot } from './project.ts';
import { packSquashfs } from './squashfs.ts';
import { unpackLocked } from './testing/locked-packages.ts';

const isRoot = process.getuid?.() === 0;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'cpushare-full-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Runs `work` in a file system of its own of this size. */
async function onSmallDisk(sizeMiB: number, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(scratch, `disk-${sizeMiB}`);
  await mkdir(folder);
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', folder]);
  try {
    await work(folder);
  } finally {
    // writes that were under way when the first one failed may still hold files open: detached now, gone with the last
    await execa('umount', ['--lazy', folder]);
  }
}

describe.skipIf(!isRoot)(`a full disk${isRoot ? '' : ' (skipped: only root can mount a small one)'}`, () => {
  it('while unpacking: no step and no ISO counts as done', async () => {
    await onSmallDisk(20, async (folder) => {
      const building = buildImage({
        projectRoot,
        outputFolder: folder,
        cacheFolder: cacheFolder(),
        mirrors: () => chooseMirrors({}),
        progress: () => undefined,
      });
      await expect(building).rejects.toMatchObject({
        code: 'DISK_FULL',
        nextStep: expect.stringContaining('free some space'),
      });
      expect(await readdir(folder)).toEqual(['build']);
      const steps = await readdir(join(folder, 'build'));
      const left = await Promise.all(steps.map((step) => readdir(join(folder, 'build', step))));
      expect(left.flat().filter((name) => !name.endsWith('.part'))).toEqual([]);
    });
  });

  it('while mksquashfs writes: nothing is left under the final name', async () => {
    const { tools } = await unpackLocked([], join(scratch, 'locked'));
    await onSmallDisk(2, async (folder) => {
      const tar = pack();
      tar.entry({ name: 'noise' }, randomBytes(8 * 2 ** 20));
      tar.finalize();
      const packing = packSquashfs(
        {
          tar: Readable.from(tar),
          compression: { compressor: 'zstd', level: 19, blockKiB: 1024 },
          sourceDateEpoch: 1_700_000_000,
          output: join(folder, 'root'),
        },
        tools,
      );
      await expect(packing).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(await readdir(folder)).toEqual([]);
    });
  });
});
