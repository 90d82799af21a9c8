import { describe, expect, it } from 'vitest';
import { compressionTable, type Row } from './compression-table.ts';
import { nameOf, variantsBeside } from './compression-variants.ts';

const row: Row = {
  name: 'zstd-19-1024k',
  isoBytes: 60 * 2 ** 20,
  initrdBytes: 40 * 2 ** 20,
  buildSeconds: 61.2,
  nodeSeconds: 25.34,
  slowestSeconds: 31,
  cpuSeconds: 24,
  usedBytes: 281 * 2 ** 20,
};

describe('variantsBeside', () => {
  it('puts what the image declares first, once', () => {
    const declared = {
      squashfs: { compressor: 'xz', x86Filter: true, blockKiB: 1024 },
      initrd: { compressor: 'none' },
    } as const;
    const names = variantsBeside(declared).map(({ name }) => name);
    expect(names[0]).toBe('xz-x86-1024k');
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['zstd-19-1024k', 'xz-1024k', 'none-1024k-initrd-zstd-19']));
  });

  it('adds what the image declares where it is none of the others', () => {
    const declared = {
      squashfs: { compressor: 'zstd', level: 3, blockKiB: 64 },
      initrd: { compressor: 'zstd', level: 1 },
    } as const;
    expect(variantsBeside(declared)[0]?.name).toBe(nameOf(declared));
    expect(nameOf(declared)).toBe('zstd-3-64k-initrd-zstd-1');
  });
});

it('the table names an image that is over the budget', () => {
  const text = compressionTable([row, { ...row, name: 'gzip-9-1024k', isoBytes: 70 * 2 ** 20 }], 64 * 2 ** 20);
  const [, first = '', second = ''] = text.split('\n');
  expect(first).toMatch(/^zstd-19-1024k {2}60\.0 MiB +281\.0 MiB +25\.3 s \(slowest 31\.0\) +24\.0 s +61 s$/);
  expect(second).toContain('70.0 MiB (too large)');
});
