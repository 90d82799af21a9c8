/** Squashfs files made by mksquashfs, read again: what the files weigh adds up to what the squashfs has. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SquashfsCompression } from './compression.ts';
import type { RootEntry } from './root-entry.ts';
import { rootTar } from './root-tar.ts';
import { decompressBlock } from './size-tree/decompress-block.ts';
import { packSquashfs } from './squashfs.ts';
import { readPackedFiles, SquashfsError } from './squashfs-reader.ts';
import { unpackLocked } from './testing/locked-packages.ts';
import type { Tools } from './tools.ts';

let scratch: string;
let tools: Tools;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'squashfs-test-'));
  ({ tools } = await unpackLocked([], scratch));
}, 180_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const MIB = 2 ** 20;
const noise = randomBytes(3 * MIB + 500_000);
const contents: Record<string, Uint8Array> = {
  'etc/hosts': Buffer.from('127.0.0.1 localhost\n'),
  'usr/bin/noise': noise,
  'usr/bin/same-noise': noise,
  'usr/lib/zeros': Buffer.alloc(5 * MIB),
  'usr/lib/text': Buffer.from('all the same words\n'.repeat(100_000)),
  ...Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`var/many/${index}`, randomBytes(400)])),
};
const folders = ['etc', 'usr', 'usr/bin', 'usr/lib', 'var', 'var/many'];

async function packed(compression: SquashfsCompression): Promise<string> {
  const entries: RootEntry[] = [
    ...folders.map((path): RootEntry => ({ kind: 'folder', path })),
    ...Object.entries(contents).map(
      ([path, content]): RootEntry => ({ kind: 'file', path, executable: false, content }),
    ),
    { kind: 'link', path: 'usr/lib/link', target: 'text' },
  ];
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const output = fileOf(compression);
  await packSquashfs({ tar: rootTar(entries, 1e9), compression, sourceDateEpoch: 1e9, output }, tools);
  return output;
}

const fileOf = (compression: SquashfsCompression) => join(scratch, `${JSON.stringify(compression)}.sqfs`);

const compressions: readonly SquashfsCompression[] = [
  { compressor: 'zstd', level: 19, blockKiB: 1024 },
  { compressor: 'zstd', level: 3, blockKiB: 128 },
  { compressor: 'xz', x86Filter: true, blockKiB: 1024 },
  { compressor: 'xz', x86Filter: false, blockKiB: 1024 },
  { compressor: 'gzip', level: 9, blockKiB: 1024 },
];

describe.each(compressions)('a squashfs compressed with $compressor, blocks of $blockKiB KiB', (compression) => {
  it('tells every file, its size and what it weighs', async () => {
    const path = await packed(compression);
    const { files, tableBytes } = await readPackedFiles(await readFile(path), decompressBlock);
    expect(files.map((one) => one.path).sort()).toEqual(Object.keys(contents).sort());
    for (const one of files) expect(one.sizeBytes, one.path).toBe(contents[one.path]?.length);
    const weightOf = (name: string) => files.find((one) => one.path === name)?.packedBytes ?? -1;
    expect(weightOf('usr/bin/noise')).toBeGreaterThanOrEqual(3 * MIB);
    expect(weightOf('usr/lib/zeros')).toBe(0);
    expect(weightOf('usr/lib/text')).toBeLessThan(20_000);
    // Equal content is stored once; its end, in a shared block, counts half for each.
    expect(weightOf('usr/bin/same-noise')).toBeLessThan(MIB / 2);
    expect(weightOf('usr/bin/noise') + weightOf('usr/bin/same-noise')).toBeGreaterThanOrEqual(noise.length);
    const content = files.reduce((sum, one) => sum + one.packedBytes, 0);
    const { size } = await stat(path);
    expect(content + tableBytes).toBeLessThanOrEqual(size);
    expect(content + tableBytes).toBeGreaterThan(size - 8192);
    expect(tableBytes).toBeLessThan(60_000);
  }, 60_000);

  it('answers a damaged one with files or a coded error', async () => {
    const whole = await readFile(fileOf(compression));
    for (let at = 0; at < 96; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      await readPackedFiles(damaged, decompressBlock).catch((error: unknown) => {
        expect(error, `byte ${at}`).toBeInstanceOf(SquashfsError);
      });
    }
  }, 60_000);
});
