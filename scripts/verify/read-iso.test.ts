import { describe, expect, it } from 'vitest';
import type { Extent } from '../../src/shared/iso9660-records.ts';
import { cpioArchive } from '../cpio.ts';
import { isoFile } from '../testing/iso-file.ts';
import { readMembers } from './read-cpio.ts';
import { readVolume } from './read-iso.ts';

const readAt = (bytes: Buffer) => (extent: Extent) => bytes.subarray(extent.start, extent.start + extent.sizeBytes);

const good = isoFile({
  '/boot/vmlinuz': Buffer.from('kernel'),
  '/.cpushare/image.lock.json': Buffer.alloc(5000, 'l'),
  '/plain': Buffer.from('x'),
});
const volume = (bytes: Buffer) => readVolume(readAt(bytes), bytes.length);
const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('an ISO 9660 volume', () => {
  it('lists its files by their long names, and where they lie', () => {
    const { files } = volume(good);
    expect([...files.keys()]).toEqual(['/.cpushare/image.lock.json', '/boot/vmlinuz', '/plain']);
    const at = files.get('/boot/vmlinuz');
    expect(good.toString('latin1', at?.start, (at?.start ?? 0) + (at?.sizeBytes ?? 0))).toBe('kernel');
  });

  it.each([
    { name: 'nothing', bytes: Buffer.alloc(0) },
    { name: 'other bytes', bytes: Buffer.alloc(40_000, 'x') },
    { name: 'one cut before its descriptor', bytes: good.subarray(0, 17 * 2048 - 1) },
  ])('is not $name', ({ bytes }) => {
    expect(() => volume(bytes)).toThrow(refused('ISO_NOT_ISO'));
  });

  const changed = (offset: number, value: number) => {
    const bytes = Buffer.from(good);
    bytes.writeUInt32LE(value, offset);
    return bytes;
  };
  const root = 18 * 2048;
  const firstRecord = root + 34 * 2;

  it.each([
    { name: 'cut in its last file', bytes: good.subarray(0, good.length - 2048) },
    { name: 'a root folder beyond the end', bytes: changed(16 * 2048 + 158, 1_000_000) },
    { name: 'a root folder of a gigabyte', bytes: changed(16 * 2048 + 166, 1 << 30) },
    { name: 'a folder that contains itself', bytes: changed(firstRecord + 2, 18) },
    { name: 'a record of one byte', bytes: Buffer.from(good).fill(1, firstRecord, firstRecord + 1) },
    { name: 'a name with a slash', bytes: Buffer.from(good.toString('latin1').replaceAll('plain', 'pl/in'), 'latin1') },
    {
      name: 'a name that steers terminals',
      bytes: Buffer.from(good.toString('latin1').replaceAll('plain', 'pl\x1bin'), 'latin1'),
    },
  ])('is refused with $name', ({ bytes }) => {
    expect(() => volume(bytes)).toThrow(refused('ISO_DAMAGED'));
  });
});

describe('a newc archive', () => {
  const pack = async () => {
    const chunks: Buffer[] = [];
    const entries = [
      { kind: 'directory', path: 'bin', mode: 0o755 },
      { kind: 'file', path: 'bin/tool', mode: 0o755, content: Buffer.from('program') },
      { kind: 'file', path: 'init', mode: 0o755, content: Buffer.from('#!') },
    ] as const;
    for await (const chunk of cpioArchive(entries, 1_700_000_000)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };
  const members = (bytes: Buffer, start = 0) => readMembers(readAt(bytes), { start, sizeBytes: bytes.length - start });

  it('lists its members and where their contents lie, wherever it begins', async () => {
    const archive = await pack();
    const moved = Buffer.concat([Buffer.alloc(2048), archive]);
    for (const [bytes, start] of [
      [archive, 0],
      [moved, 2048],
    ] as const) {
      const found = members(bytes, start);
      expect([...found.keys()]).toEqual(['bin', 'bin/tool', 'init']);
      const { start: at = 0, sizeBytes = 0 } = found.get('bin/tool') ?? {};
      expect(bytes.toString('latin1', at, at + sizeBytes)).toBe('program');
    }
  });

  it('is passed over when it is something else, and refused when it breaks off', async () => {
    expect(members(Buffer.alloc(500, 'z')).size).toBe(0);
    const archive = await pack();
    const at = archive.indexOf('program');
    expect(() => members(archive.subarray(0, at + 3))).toThrow(refused('ISO_DAMAGED'));
    const second = Buffer.from(archive);
    second.write('XXXXXX', archive.indexOf('070701', 10), 'latin1');
    expect(() => members(second)).toThrow(refused('ISO_DAMAGED'));
  });
});
