import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type InitrdInput, packInitrd } from './initrd.ts';
import type { Tools } from './tools.ts';

const ELF = Buffer.concat([Buffer.from('7f454c46', 'hex'), Buffer.alloc(100, 1)]);
const SQUASHFS = Buffer.concat([Buffer.from('hsqs'), Buffer.alloc(5_000, 2)]);

const AGENT = Buffer.concat([Buffer.from('hsqs'), Buffer.alloc(300, 3)]);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-initrd-'));
});
afterEach(() => rm(folder, { recursive: true }));

const noTool: Tools['run'] = () => Promise.reject(new Error('nothing to compress with'));

type Replaced = 'module' | 'root' | 'agent';

async function pack(
  replace: { readonly [part in Replaced]?: Buffer } = {},
  {
    compression = { compressor: 'none' },
    run = noTool,
  }: Partial<Pick<InitrdInput, 'compression'> & Pick<Tools, 'run'>> = {},
) {
  const write = async (name: string, content: Buffer | string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const input = {
    modules: [await write('loop.ko', replace.module ?? ELF)],
    layers: { base: await write('b', replace.root ?? SQUASHFS), agent: await write('a', replace.agent ?? AGENT) },
    output: join(folder, 'initrd.img'),
    compression,
    sourceDateEpoch: 1700000000,
  };
  return await packInitrd(input, { run });
}

it('carries both layers of the root as they are, and what early user space needs beside it', async () => {
  const initrd = await readFile(await pack());
  for (const layer of [SQUASHFS, AGENT]) expect(initrd.includes(layer)).toBe(true);
  for (const path of ['init', 'layers/base', 'modules/loop.ko', 'dev/console', 'base.sqfs', 'agent.sqfs']) {
    expect(initrd.includes(`\0${path}\0`) || initrd.includes(`00000000${path}\0`), path).toBe(true);
  }
});

it('is the same each time', async () => {
  const first = await readFile(await pack());
  expect(await readFile(await pack())).toEqual(first);
});

it('fills what a compressor left up to whole words: GRUB and the EFI stub measure the same then', async () => {
  const run: Tools['run'] = async (_tool, _args, { input, outputFile = '' } = {}) => {
    await pipeline(input as Readable, createWriteStream('/dev/null'));
    await writeFile(outputFile, Buffer.from('0123456'));
    return { stdout: '', stderr: '' };
  };
  const initrd = await readFile(await pack({}, { compression: { compressor: 'xz' }, run }));
  expect(initrd.toString('latin1')).toBe('0123456\0');
});

it.each([
  { name: 'a compressed module', replace: { module: Buffer.from('fd377a585a00', 'hex') }, code: 'INITRD_NOT_ELF' },
  { name: 'an empty module', replace: { module: Buffer.alloc(0) }, code: 'INITRD_NOT_ELF' },
  { name: 'a root that is no squashfs', replace: { root: ELF }, code: 'INITRD_NOT_SQUASHFS' },
  { name: 'an agent layer that is none', replace: { agent: ELF }, code: 'INITRD_NOT_SQUASHFS' },
])('refuses $name and leaves nothing behind', async ({ replace, code }) => {
  await expect(pack(replace)).rejects.toThrow(expect.objectContaining({ code }) as Error);
  expect((await readdir(folder)).filter((name) => name.startsWith('initrd.img'))).toEqual([]);
});
