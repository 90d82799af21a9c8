/** A real block device for tests, made of a file. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface LoopDevice {
  /** Holds `backing`; removed with the device. */
  readonly folder: string;
  /** The file whose bytes are the device's. */
  readonly backing: string;
  /** Such as `/dev/loop0`. */
  readonly path: string;
  detach(): Promise<void>;
}

/** `undefined` where there are none to be had: not root, or a container without loop devices. */
export async function attachLoop(bytes: number): Promise<LoopDevice | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-loop-'));
  const backing = join(folder, 'disk');
  await writeFile(backing, '');
  await truncate(backing, bytes);
  const attached = await execa('losetup', ['--find', '--show', backing], { reject: false });
  if (attached.failed) {
    await rm(folder, { recursive: true });
    return undefined;
  }
  const path = attached.stdout.trim();
  return {
    folder,
    backing,
    path,
    async detach() {
      await execa('losetup', ['--detach', path]);
      await rm(folder, { recursive: true });
    },
  };
}
