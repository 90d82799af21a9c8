/** Writing and reading back on a real block device: a loop device, which counts as a fixed disk. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { WriteState } from './stick/write-input.ts';
import { attachLoop } from './testing/loop-device.ts';
import { writeStick } from './write-stick.ts';
import { locateDisk } from './write-stick-disk.ts';
import { deviceNumber } from './write-stick-open.ts';
import { refusalOf } from './write-stick-rules.ts';

const DISK_BYTES = 24 * 2 ** 20;
/** Over two blocks, and an odd end. */
const ISO_BYTES = 9 * 2 ** 20 + 2049;

const loop = await attachLoop(DISK_BYTES);
const why = loop === undefined ? ' (skipped: needs root and a free loop device)' : '';

describe.skipIf(loop === undefined)(`a stick${why}`, () => {
  const { path, backing, folder } = loop ?? { path: '', backing: '', folder: '' };
  const iso = join(folder, 'image.iso');

  beforeAll(() => writeFile(iso, randomBytes(ISO_BYTES)));
  beforeEach(() => writeFile(backing, Buffer.alloc(DISK_BYTES), { flag: 'r+' }));
  afterAll(() => loop?.detach());

  async function located() {
    const found = await locateDisk(await deviceNumber(path));
    if (found === undefined) throw new Error(`the kernel does not know ${path}`);
    return found;
  }

  async function write(onState: (state: WriteState) => void = () => undefined, signal = new AbortController().signal) {
    const { disk } = await located();
    return writeStick({ disk, iso, isoBytes: ISO_BYTES, progress: onState, signal });
  }

  const whenWritten = (work: () => void) => (state: WriteState) => {
    if (state.phase === 'write' && state.doneBytes === ISO_BYTES) work();
  };
  /** Below the kernel's block cache, as a stick that forgets: whoever reads that cache does not see it. */
  const spoil = whenWritten(() => {
    const file = openSync(backing, 'r+');
    writeSync(file, 'not the ISO', 5 * 2 ** 20);
    closeSync(file);
  });

  function withoutDd() {
    const before = process.env.PATH;
    process.env.PATH = folder;
    onTestFinished(() => {
      process.env.PATH = before;
    });
  }

  it('is refused as fixed or too small, unless it is named and large enough', async () => {
    const judge = async (isoBytes: number, forceFixed?: string) => refusalOf(await located(), { isoBytes, forceFixed });
    expect(await judge(ISO_BYTES)).toMatchObject({ code: 'STICK_NOT_REMOVABLE' });
    expect(await judge(DISK_BYTES, path)).toBeUndefined();
    expect(await judge(DISK_BYTES + 1, path)).toMatchObject({ code: 'STICK_TOO_SMALL' });
  });

  it.each([
    { how: 'past the cache', prepare: () => undefined },
    { how: 'without dd', prepare: withoutDd },
  ])('holds the ISO afterwards, and nothing behind it is touched: $how', async ({ prepare }) => {
    prepare();
    const states: WriteState[] = [];
    await write((state) => states.push(state));
    const [held, wanted] = await Promise.all([readFile(backing), readFile(iso)]);
    expect(held.subarray(0, ISO_BYTES).equals(wanted)).toBe(true);
    expect(held.subarray(ISO_BYTES).every((byte) => byte === 0)).toBe(true);
    for (const phase of ['write', 'read back']) {
      expect(states.findLast((state) => state.phase === phase)?.doneBytes).toBe(ISO_BYTES);
    }
  });

  it.each([
    { how: 'past the cache', prepare: () => undefined },
    { how: 'without dd', prepare: withoutDd },
  ])('that gives back something else is bad: $how', async ({ prepare }) => {
    prepare();
    await expect(write(spoil)).rejects.toMatchObject({
      code: 'STICK_DIFFERS',
      nextStep: expect.stringContaining('the stick is bad'),
    });
  });

  const changes = [
    { offset: 0, bytes: new Uint8Array(1024).fill(1) },
    { offset: 10 * 2 ** 20, bytes: randomBytes(2 ** 20) },
    { offset: DISK_BYTES - 512, bytes: new Uint8Array(512).fill(2) },
  ];
  const writeChanged = async (onState: (state: WriteState) => void = () => undefined) => {
    const { disk } = await located();
    return writeStick({
      disk,
      iso,
      isoBytes: ISO_BYTES,
      changes,
      progress: onState,
      signal: new AbortController().signal,
    });
  };

  it.each([
    { how: 'past the cache', prepare: () => undefined },
    { how: 'without dd', prepare: withoutDd },
  ])('gets what is changed in the ISO and what lies behind it, read back as well: $how', async ({ prepare }) => {
    prepare();
    const states: WriteState[] = [];
    await writeChanged((state) => states.push(state));
    const expected = Buffer.alloc(DISK_BYTES);
    (await readFile(iso)).copy(expected);
    for (const { offset, bytes } of changes) expected.set(bytes, offset);
    expect((await readFile(backing)).equals(expected)).toBe(true);
    const total = ISO_BYTES + 2 ** 20 + 512;
    expect(states.at(-1)).toEqual({ phase: 'read back', doneBytes: total, totalBytes: total });
  });

  it.each([10 * 2 ** 20 + 7, DISK_BYTES - 1])('is bad when byte %i, behind the ISO, comes back changed', async (at) => {
    const spoilBehind = (state: WriteState) => {
      if (state.phase !== 'write' || state.doneBytes < state.totalBytes) return;
      const file = openSync(backing, 'r+');
      writeSync(file, 'x', at);
      closeSync(file);
    };
    await expect(writeChanged(spoilBehind)).rejects.toMatchObject({ code: 'STICK_DIFFERS' });
  });

  it('that gives back less is bad', async () => {
    const shrink = (bytes: number) => {
      truncateSync(backing, bytes);
      execFileSync('losetup', ['--set-capacity', path]);
    };
    onTestFinished(() => shrink(DISK_BYTES));
    await expect(write(whenWritten(() => shrink(8 * 2 ** 20)))).rejects.toMatchObject({
      code: 'STICK_READ_FAILED',
      message: `${path} gave back only ${8 * 2 ** 20} of ${ISO_BYTES} bytes`,
    });
  });

  it('that is full before the end takes no more', async () => {
    const { disk } = await located();
    const large = join(folder, 'large.iso');
    await writeFile(large, '');
    await truncate(large, DISK_BYTES + 512);
    const input = { disk, iso: large, progress: () => undefined, signal: new AbortController().signal };
    await expect(writeStick({ ...input, isoBytes: DISK_BYTES + 512 })).rejects.toMatchObject({
      code: 'STICK_WRITE_FAILED',
    });
  });

  it.each(['write', 'read back'] as const)('is said to be unusable when interrupted: %s', async (phase) => {
    const stop = new AbortController();
    const states: WriteState[] = [];
    const writing = write((state) => {
      states.push(state);
      if (state.phase === phase) stop.abort();
    }, stop.signal);
    await expect(writing).rejects.toMatchObject({
      code: 'STICK_INTERRUPTED',
      message: expect.stringContaining('cannot be used as it is'),
      nextStep: expect.stringContaining('write it again'),
    });
    expect(states.filter((state) => state.phase === phase)).toHaveLength(1);
  });

  it('is refused while mounted, by our rules and by the kernel', async ({ skip }) => {
    const made = await execa('mke2fs', ['-q', '-F', path], { reject: false });
    const at = join(folder, 'mounted');
    await mkdir(at);
    const mounting = made.failed ? made : await execa('mount', [path, at], { reject: false });
    if (mounting.failed) skip('mke2fs or mount does not work here');
    onTestFinished(async () => {
      await execa('umount', [at]);
    });
    expect(refusalOf(await located(), { isoBytes: ISO_BYTES, forceFixed: path })).toMatchObject({
      code: 'STICK_MOUNTED',
      message: expect.stringContaining(at),
    });
    const before = await readFile(backing);
    await expect(write()).rejects.toMatchObject({ code: 'STICK_BUSY' });
    expect((await readFile(backing)).equals(before)).toBe(true);
  });
});
