import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CpioEntry, cpioArchive } from './cpio.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-cpio-'));
});
afterAll(() => rm(folder, { recursive: true }));

const mtime = 1700000000;

describe('a newc archive', () => {
  it('has, for one small file, the bytes that the format describes', async () => {
    const archive = await pack([{ kind: 'file', path: 'init', mode: 0o755, content: Buffer.from('hello') }]);
    const header = [
      ...['070701', '00000001', '000081ED', '00000000', '00000000', '00000001', '6553F100', '00000005'],
      ...['00000000', '00000000', '00000000', '00000000', '00000005', '00000000'],
    ].join('');
    expect(archive.toString('latin1', 0, 124)).toBe(`${header}init\0\0hello\0\0\0`);
    expect(archive.toString('latin1', 124, 130)).toBe('070701');
    expect(archive.toString('latin1', 124 + 110, 124 + 120)).toBe('TRAILER!!!');
    expect(archive.length).toBe(512);
  });

  it('holds folders, links, devices and files from disk', async () => {
    const onDisk = join(folder, 'big');
    await writeFile(onDisk, Buffer.alloc(3_000_001, 7));
    const archive = await pack([
      { kind: 'directory', path: 'dev', mode: 0o755 },
      { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
      { kind: 'symlink', path: 'sh', target: 'busybox' },
      { kind: 'file', path: 'big', mode: 0o644, content: { file: onDisk } },
    ]);
    expect(list(archive)).toEqual([
      { path: 'dev', mode: 0o040755, device: '0:0', size: 0 },
      { path: 'dev/console', mode: 0o020600, device: '5:1', size: 0 },
      { path: 'sh', mode: 0o120777, device: '0:0', size: 7 },
      { path: 'big', mode: 0o100644, device: '0:0', size: 3_000_001 },
    ]);
    expect(archive.length % 512).toBe(0);
  });

  it('is the same whatever the date and mode of a file on disk', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await writeFile(one, 'same', { mode: 0o600 });
    await writeFile(two, 'same', { mode: 0o755 });
    const packed = (file: string) => pack([{ kind: 'file', path: 'f', mode: 0o644, content: { file } }]);
    expect(await packed(one)).toEqual(await packed(two));
  });
});

it.each([
  { name: 'a path that leads out', paths: ['../etc'] },
  { name: 'an absolute path', paths: ['/etc'] },
  { name: 'an empty path', paths: [''] },
  { name: 'a path twice', paths: ['a', 'a'] },
  { name: 'a file before its folder', paths: ['a/b'] },
])('refuses $name', async ({ paths }) => {
  const entries = paths.map((path) => ({ kind: 'file', path, mode: 0o644, content: new Uint8Array() }) as const);
  await expect(pack(entries)).rejects.toThrow(expect.objectContaining({ code: 'CPIO_BAD_PATH' }) as Error);
});

async function pack(entries: readonly CpioEntry[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of cpioArchive(entries, mtime)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads headers back by the offsets of the format's table. */
function list(archive: Buffer): { path: string; mode: number; device: string; size: number }[] {
  const up = (value: number) => Math.ceil(value / 4) * 4;
  const entries = [];
  for (let at = 0; ; ) {
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const nameEnd = at + 110 + field(11);
    const path = archive.toString('latin1', at + 110, nameEnd - 1);
    if (path === 'TRAILER!!!') return entries;
    entries.push({ path, mode: field(1), device: `${field(9)}:${field(10)}`, size: field(6) });
    at = up(nameEnd) + up(field(6));
  }
}
