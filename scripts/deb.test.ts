import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debData, readAr } from './ar.ts';
import { decompressInProcess, safePath, unpackDeb } from './deb.ts';
import { arFile as ar, type Member, tarFile as tar } from './testing/deb-file.ts';

const version = { name: 'debian-binary', data: Buffer.from('2.0\n') };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deb-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function unpack(members: readonly Member[]) {
  await writeFile(join(folder, 'a.deb'), ar([version, { name: 'data.tar', data: await tar(members) }]));
  return unpackDeb(join(folder, 'a.deb'), join(folder, 'out'), decompressInProcess);
}

describe('unpackDeb', () => {
  it('lists and writes files, folders and links below merged /usr, of the documentation only whose work it is', async () => {
    const entries = await unpack([
      { name: './', type: 'directory' },
      { name: './bin/', type: 'directory' },
      { name: './bin/tool', mode: 0o4755, content: 'program' },
      { name: './usr/share/doc/tool/copyright', content: 'words' },
      { name: './usr/share/doc/tool/README', content: 'words' },
      { name: './usr/share/doc/other', type: 'symlink', linkname: 'tool' },
      { name: './usr/bin/alias', type: 'symlink', linkname: 'tool' },
      { name: './usr/bin/twin', type: 'link', linkname: './bin/tool' },
    ]);
    expect(entries).toEqual([
      { kind: 'folder', path: 'usr/bin' },
      { kind: 'file', path: 'usr/bin/tool', executable: true },
      { kind: 'file', path: 'usr/share/doc/tool/copyright', executable: expect.any(Boolean) },
      { kind: 'link', path: 'usr/share/doc/other', target: 'tool' },
      { kind: 'link', path: 'usr/bin/alias', target: 'tool' },
      { kind: 'file', path: 'usr/bin/twin', executable: expect.any(Boolean) },
    ]);
    expect(await readFile(join(folder, 'out/usr/bin/alias'), 'utf8')).toBe('program');
    // No set-user-id survives.
    expect((await stat(join(folder, 'out/usr/bin/tool'))).mode & 0o7111).toBe(0o111);
  });

  it('keeps the licences of firmware: it may only be passed on with them', async () => {
    const doc = './usr/share/doc/firmware-radio';
    const entries = await unpack([
      { name: `${doc}/`, type: 'directory' },
      { name: `${doc}/copyright`, content: 'words' },
      { name: `${doc}/changelog.Debian.gz`, content: 'x' },
    ]);
    expect(entries.map(({ path }) => path)).toEqual([
      'usr/share/doc/firmware-radio',
      'usr/share/doc/firmware-radio/copyright',
    ]);
  });

  it.each([
    { name: 'a path with ..', members: [{ name: './usr/../../evil', content: 'x' }] },
    { name: 'an absolute path', members: [{ name: '/etc/evil', content: 'x' }] },
    { name: 'a link above the root', members: [{ name: 'usr/l', type: 'symlink', linkname: '../../etc' }] },
    {
      name: 'a file through a link',
      members: [
        { name: 'usr/l', type: 'symlink', linkname: '/elsewhere' },
        { name: 'usr/l/evil', content: 'x' },
      ],
    },
    {
      name: 'the same file twice',
      members: [
        { name: 'usr/f', content: 'x' },
        { name: './usr/f', content: 'y' },
      ],
    },
    {
      name: 'the same file twice by merged /usr',
      members: [
        { name: 'bin/f', content: 'x' },
        { name: 'usr/bin/f', content: 'y' },
      ],
    },
    { name: 'a device', members: [{ name: 'dev/mem', type: 'character-device', devmajor: 1, devminor: 1 }] },
    { name: 'a hard link to a file outside', members: [{ name: 'usr/h', type: 'link', linkname: 'etc/passwd' }] },
  ] satisfies { name: string; members: Member[] }[])('refuses $name', async ({ members }) => {
    await expect(unpack(members)).rejects.toMatchObject({ code: 'DEB_UNSAFE' });
    expect(await readdir(folder, { recursive: true })).not.toContain('evil');
  });
});

describe('safePath', () => {
  it('never leaves the folder', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('..', '.', '', 'bin', 'a', '\0'), { maxLength: 6 }), (segments) => {
        let path: string;
        try {
          path = safePath(segments.join('/'));
        } catch {
          return;
        }
        expect(path === '' || path.split('/').every((one) => !['', '.', '..'].includes(one))).toBe(true);
      }),
    );
  });
});

describe('the ar shell', () => {
  const good = ar([
    version,
    { name: 'control.tar.xz', data: Buffer.alloc(3) },
    { name: 'data.tar.xz', data: Buffer.alloc(5) },
  ]);

  it('finds the compressed tree', () => {
    expect(debData(good)).toEqual({ compression: 'xz', data: Buffer.alloc(5) });
  });

  it('refuses the archive cut at any length', () => {
    for (let length = 0; length < good.length - 1; length += 1) {
      const code = /^DEB_MALFORMED$/;
      expect(() => debData(good.subarray(0, length))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(code) }),
      );
    }
  });

  it.each([
    { name: 'two members of one name', members: [version, version] },
    { name: 'no version first', members: [{ name: 'data.tar.xz', data: Buffer.alloc(1) }] },
  ])('refuses $name', ({ members }) =>
    expect(() => debData(ar(members))).toThrow(expect.objectContaining({ code: 'DEB_MALFORMED' })),
  );

  it('refuses an unknown compression by name', () => {
    expect(() => debData(ar([version, { name: 'data.tar.lzma', data: Buffer.alloc(1) }]))).toThrow(/data\.tar\.lzma/);
  });

  it('reads members of odd length', () => {
    expect(readAr(good).map((one) => one.data.length)).toEqual([4, 3, 5]);
  });
});
