/** Ways to compress the root and the initrd that are built and booted beside each other. */
import type { Compressions } from '../../../scripts/compression.ts';

export interface Variant extends Compressions {
  readonly name: string;
}

const stored = { compressor: 'none' } as const;

const compared: readonly Compressions[] = [
  { squashfs: { compressor: 'zstd', level: 19, blockKiB: 1024 }, initrd: stored },
  { squashfs: { compressor: 'zstd', level: 19, blockKiB: 128 }, initrd: stored },
  { squashfs: { compressor: 'zstd', level: 15, blockKiB: 1024 }, initrd: stored },
  { squashfs: { compressor: 'xz', x86Filter: true, blockKiB: 1024 }, initrd: stored },
  { squashfs: { compressor: 'xz', x86Filter: false, blockKiB: 1024 }, initrd: stored },
  { squashfs: { compressor: 'xz', x86Filter: true, blockKiB: 128 }, initrd: stored },
  { squashfs: { compressor: 'gzip', level: 9, blockKiB: 1024 }, initrd: stored },
  // One stream over everything is smaller than blocks; the unpacked root then stays in memory.
  { squashfs: { compressor: 'none', blockKiB: 1024 }, initrd: { compressor: 'zstd', level: 19 } },
];

/** What the image declares comes first, be it among the others or not. */
export function variantsBeside(declared: Compressions): Variant[] {
  const named = [declared, ...compared].map(({ squashfs, initrd }) => ({
    ...{ squashfs, initrd },
    name: nameOf({ squashfs, initrd }),
  }));
  return named.filter(({ name }, index) => named.findIndex((one) => one.name === name) === index);
}

/** Such as `zstd-19-1024k`, `xz-x86-128k`, `none-1024k-initrd-xz`. */
export function nameOf({ squashfs, initrd }: Compressions): string {
  return [...squashfsWords(squashfs), `${squashfs.blockKiB}k`, ...initrdWords(initrd)].join('-');
}

function squashfsWords(squashfs: Compressions['squashfs']): (string | number)[] {
  if (squashfs.compressor === 'xz') return squashfs.x86Filter ? ['xz', 'x86'] : ['xz'];
  return 'level' in squashfs ? [squashfs.compressor, squashfs.level] : [squashfs.compressor];
}

function initrdWords(initrd: Compressions['initrd']): (string | number)[] {
  if (initrd.compressor === 'none') return [];
  return ['initrd', initrd.compressor, ...('level' in initrd ? [initrd.level] : [])];
}
