import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Compressions, initrdCompressor, requireReadable, squashfsOptions } from './compression.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-compression-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('what the tools are told', () => {
  it.each([
    [{ compressor: 'zstd', level: 19, blockKiB: 1024 }, '-comp zstd -Xcompression-level 19 -b 1024K'],
    [{ compressor: 'gzip', level: 9, blockKiB: 128 }, '-comp gzip -Xcompression-level 9 -b 128K'],
    [{ compressor: 'xz', x86Filter: true, blockKiB: 1024 }, '-comp xz -Xbcj x86 -b 1024K'],
    [{ compressor: 'xz', x86Filter: false, blockKiB: 256 }, '-comp xz -b 256K'],
    [{ compressor: 'none', blockKiB: 64 }, '-comp zstd -no-compression -b 64K'],
  ] as const)('%o', (chosen, options) => expect(squashfsOptions(chosen).join(' ')).toBe(options));

  it('nothing for an initrd that stays as it is', () => {
    expect(initrdCompressor({ compressor: 'none' })).toBeNull();
  });

  it.each([{ compressor: 'xz' }, { compressor: 'zstd', level: 19 }] as const)(
    'one thread for an initrd compressed with $compressor: more would make other bytes on another host',
    (chosen) => {
      expect(initrdCompressor(chosen)?.args.join(' ')).toMatch(/--single-thread|--threads=1/);
    },
  );
});

describe('requireReadable', () => {
  const zstd = { squashfs: { compressor: 'zstd', level: 19, blockKiB: 1024 }, initrd: { compressor: 'none' } } as const;
  const xz = {
    squashfs: { compressor: 'xz', x86Filter: true, blockKiB: 1024 },
    initrd: { compressor: 'zstd', level: 1 },
  } as const;
  const judge = async (chosen: Compressions, lines: readonly string[]) => {
    const file = join(folder, 'config');
    await writeFile(file, `${lines.join('\n')}\n`);
    await requireReadable(chosen, file);
  };
  const whole = ['CONFIG_SQUASHFS_XZ=y', 'CONFIG_XZ_DEC_X86=y', 'CONFIG_RD_ZSTD=y'];

  it('takes what the kernel reads', async () => {
    await judge(zstd, ['CONFIG_SQUASHFS_ZSTD=y']);
    await judge(xz, whole);
  });

  it.each(whole)('refuses without %s, naming it', async (option) => {
    const without = [...whole.filter((one) => one !== option), `# ${option.replace('=y', '')} is not set`];
    await expect(judge(xz, without)).rejects.toMatchObject({
      code: 'COMPRESSION_UNREADABLE',
      message: expect.stringContaining(option.replace('=y', '')) as string,
    });
  });
});
