import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { type RootEntry, text } from './root-entry.ts';
import { mergeEntries, rootTar } from './root-tar.ts';

async function headers(entries: readonly RootEntry[]) {
  const tar = extract();
  const found: { name: string; mode: number; uid: number; mtime: number }[] = [];
  const feeding = pipeline(rootTar(entries, 1_700_000_000), tar);
  for await (const { header, ...member } of tar) {
    void member;
    found.push({ name: header.name, mode: header.mode, uid: header.uid, mtime: header.mtime.getTime() / 1000 });
  }
  await feeding;
  return found;
}

describe('mergeEntries', () => {
  it('adds every parent and sorts by bytes', () => {
    const merged = mergeEntries([
      { overlay: false, entries: [text('b/é', ''), text('b/z', ''), text('a-b', ''), text('a/c', '')] },
    ]);
    expect(merged.map((entry) => entry.path)).toEqual(['a', 'a-b', 'a/c', 'b', 'b/z', 'b/é']);
  });

  it('lets only an overlay replace a file', () => {
    const layers = (overlay: boolean) => [
      { overlay: false, entries: [text('etc/hosts', 'one')] },
      { overlay, entries: [text('etc/hosts', 'two')] },
    ];
    expect(mergeEntries(layers(true))).toContainEqual(text('etc/hosts', 'two'));
    expect(() => mergeEntries(layers(false))).toThrow(expect.objectContaining({ code: 'ROOT_PATH_TWICE' }));
  });

  it('refuses a file below a link', () => {
    const entries: RootEntry[] = [{ kind: 'link', path: 'bin', target: 'usr/bin' }, text('bin/tool', '')];
    expect(() => mergeEntries([{ overlay: false, entries }])).toThrow(
      expect.objectContaining({ code: 'ROOT_PATH_BELOW_FILE' }),
    );
  });
});

describe('rootTar', () => {
  it('gives everything to root, with one time and only the modes we mean', async () => {
    const found = await headers([
      { kind: 'folder', path: 'tmp', mode: 0o1777 },
      { ...text('tool', 'x'), executable: true },
      { ...text('shadow', 'x'), secret: true },
    ]);
    expect(found).toEqual([
      { name: 'tmp/', mode: 0o1777, uid: 0, mtime: 1_700_000_000 },
      { name: 'tool', mode: 0o755, uid: 0, mtime: 1_700_000_000 },
      { name: 'shadow', mode: 0o600, uid: 0, mtime: 1_700_000_000 },
    ]);
  });

  it('fails the stream when a file has gone', async () => {
    const gone: RootEntry = { kind: 'file', path: 'f', executable: false, content: { file: '/nonexistent/f' } };
    await expect(rootTar([gone], 1).toArray()).rejects.toMatchObject({ code: 'ROOT_FILE_ABSENT' });
  });
});
