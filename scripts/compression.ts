/**
 * How the root's layers, and the initrd that holds them, are compressed: as image.json declares it, in the words of the
 * programs that do it, and held against what the locked kernel can read. docs/size.md has the figures behind the choice.
 */
import { readFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import { CodedError } from '../src/shared/errors.ts';

export class CompressionError extends CodedError<'COMPRESSION_UNREADABLE'> {}

const strict = { additionalProperties: false } as const;
/** A squashfs has blocks of a power of two; smaller ones only make it larger. */
const blockKiB = Type.Union([
  Type.Literal(64),
  Type.Literal(128),
  Type.Literal(256),
  Type.Literal(512),
  Type.Literal(1024),
]);
const zstdLevel = Type.Integer({ minimum: 1, maximum: 22 });

export const SquashfsCompression = Type.Union([
  Type.Object({ compressor: Type.Literal('zstd'), level: zstdLevel, blockKiB }, strict),
  /** `x86Filter`: the branch filter, which makes machine code smaller. */
  Type.Object({ compressor: Type.Literal('xz'), x86Filter: Type.Boolean(), blockKiB }, strict),
  Type.Object({ compressor: Type.Literal('gzip'), level: Type.Integer({ minimum: 1, maximum: 9 }), blockKiB }, strict),
  Type.Object({ compressor: Type.Literal('none'), blockKiB }, strict),
]);
export type SquashfsCompression = Static<typeof SquashfsCompression>;

export const InitrdCompression = Type.Union([
  Type.Object({ compressor: Type.Literal('none') }, strict),
  Type.Object({ compressor: Type.Literal('zstd'), level: zstdLevel }, strict),
  Type.Object({ compressor: Type.Literal('xz') }, strict),
]);
export type InitrdCompression = Static<typeof InitrdCompression>;

/** Options of mksquashfs. How many threads it runs does not change what it writes. */
export function squashfsOptions(chosen: SquashfsCompression): string[] {
  const block = ['-b', `${chosen.blockKiB}K`];
  switch (chosen.compressor) {
    case 'zstd':
      return ['-comp', 'zstd', '-Xcompression-level', String(chosen.level), ...block];
    case 'gzip':
      return ['-comp', 'gzip', '-Xcompression-level', String(chosen.level), ...block];
    case 'xz':
      return ['-comp', 'xz', ...(chosen.x86Filter ? ['-Xbcj', 'x86'] : []), ...block];
    case 'none':
      return ['-comp', 'zstd', '-no-compression', ...block];
  }
}

/** The program that compresses an initrd from standard input to standard output; null when it stays as it is. */
export function initrdCompressor(chosen: InitrdCompression): { tool: 'zstd' | 'xz'; args: string[] } | null {
  switch (chosen.compressor) {
    case 'none':
      return null;
    // One thread each: with several, what they write depends on how many.
    case 'zstd':
      return { tool: 'zstd', args: ['--single-thread', '--ultra', `-${chosen.level}`, '--quiet', '--stdout'] };
    case 'xz':
      // The kernel's reader knows no other checksum (Documentation/staging/xz.rst).
      return { tool: 'xz', args: ['--threads=1', '--check=crc32', '--x86', '--lzma2=preset=9', '--stdout'] };
  }
}

export interface Compressions {
  readonly squashfs: SquashfsCompression;
  readonly initrd: InitrdCompression;
}

const SQUASHFS_READERS = { zstd: 'ZSTD', xz: 'XZ', gzip: 'ZLIB' } as const;

/** Options that the kernel must have been built with. */
export function kernelOptionsFor({ squashfs, initrd }: Compressions): string[] {
  return [
    ...(squashfs.compressor === 'none' ? [] : [`CONFIG_SQUASHFS_${SQUASHFS_READERS[squashfs.compressor]}`]),
    // Without its x86 filter a kernel refuses such blocks when the first program is read.
    ...(squashfs.compressor === 'xz' && squashfs.x86Filter ? ['CONFIG_XZ_DEC_X86'] : []),
    ...(initrd.compressor === 'none' ? [] : [`CONFIG_RD_${initrd.compressor.toUpperCase()}`]),
  ];
}

/** @param configFile `/boot/config-VERSION` of the locked kernel. @throws CompressionError COMPRESSION_UNREADABLE */
export async function requireReadable(chosen: Compressions, configFile: string): Promise<void> {
  const lines = new Set((await readFile(configFile, 'utf8')).split('\n'));
  const missing = kernelOptionsFor(chosen).filter((option) => !lines.has(`${option}=y`));
  if (missing.length === 0) return;
  throw new CompressionError(
    'COMPRESSION_UNREADABLE',
    `the locked kernel cannot read what image.json declares: it was built without ${missing.join(' and ')}`,
    {
      nextStep: 'choose another compressor in squashfs or initrd of image/image.json and run: npx cpushare image lock',
    },
  );
}
