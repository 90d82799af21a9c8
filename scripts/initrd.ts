/**
 * The initrd: the program that mounts the root, three kernel modules, and the whole root as two squashfs layers. No shell.
 * It is measured twice before it runs, by GRUB and by the kernel's EFI stub.
 */
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat, truncate } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CodedError } from '../src/shared/errors.ts';
import { type InitrdCompression, initrdCompressor } from './compression.ts';
import { type CpioEntry, cpioArchive } from './cpio.ts';
import { earlyFolders, earlyInit } from './tiny-init/early-init.ts';
import type { Tools } from './tools.ts';

export class InitrdError extends CodedError<'INITRD_NOT_ELF' | 'INITRD_NOT_SQUASHFS'> {}

export interface InitrdInput {
  /** Uncompressed .ko files; they lie in /modules under their own names and are loaded in this order. */
  readonly modules: readonly string[];
  /** The root's layers: /base.sqfs, and /agent.sqfs which lies over it. */
  readonly layers: { readonly base: string; readonly agent: string };
  /** Of the whole. The layers are compressed already, or are not where this is. */
  readonly compression: InitrdCompression;
  readonly output: string;
  readonly sourceDateEpoch: number;
}

/** Writes the initrd and returns its path. @throws InitrdError, CpioError, ToolError */
export async function packInitrd(input: InitrdInput, tools: Pick<Tools, 'run'>): Promise<string> {
  for (const file of input.modules) await mustStartWith(file, '7f454c46', 'INITRD_NOT_ELF');
  for (const file of Object.values(input.layers)) await mustStartWith(file, '68737173', 'INITRD_NOT_SQUASHFS');
  const entries = entriesOf(input);
  const partial = `${input.output}.part`;
  try {
    const archive = Readable.from(cpioArchive(entries, input.sourceDateEpoch));
    const compressor = initrdCompressor(input.compression);
    if (compressor === null) await pipeline(archive, createWriteStream(partial));
    else await tools.run(compressor.tool, compressor.args, { input: archive, outputFile: partial });
    // To whole words, as an archive is: no loader has anything to pad, and all measure the same bytes. The kernel passes over zeros.
    await truncate(partial, Math.ceil((await stat(partial)).size / 4) * 4);
    await rename(partial, input.output);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return input.output;
}

/** What lies in the first hides the same path in the second. */
const LAYERS = ['agent', 'base'];

function entriesOf(input: InitrdInput): CpioEntry[] {
  const modules = input.modules.map((file) => basename(file, '.ko'));
  return [
    ...earlyFolders(LAYERS).map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
    // The kernel opens it as standard input and output of /init, before anything could mount devtmpfs.
    { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'file', path: 'init', mode: 0o755, content: earlyInit({ modules, layers: LAYERS }) },
    ...input.modules.map(
      (file) => ({ kind: 'file', path: `modules/${basename(file)}`, mode: 0o644, content: { file } }) as const,
    ),
    { kind: 'file', path: 'agent.sqfs', mode: 0o644, content: { file: input.layers.agent } },
    { kind: 'file', path: 'base.sqfs', mode: 0o644, content: { file: input.layers.base } },
  ];
}

/** Catches a .ko.xz or a swapped argument here instead of on a black screen. */
async function mustStartWith(file: string, magicHex: string, code: 'INITRD_NOT_ELF' | 'INITRD_NOT_SQUASHFS') {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    const found = buffer.subarray(0, bytesRead).toString('hex');
    if (found === magicHex) return;
    const what = code === 'INITRD_NOT_ELF' ? 'an uncompressed ELF file' : 'a squashfs';
    throw new InitrdError(code, `${file} is not ${what}: it starts with ${found || 'nothing'}, not ${magicHex}`);
  } finally {
    await handle.close();
  }
}
