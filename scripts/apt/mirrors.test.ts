import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseMirrors, deb822Uris, oneLineUris, securitySibling } from './mirrors.ts';

describe('securitySibling', () => {
  it.each([
    ['http://mirror.example/debian', 'http://mirror.example/debian-security'],
    ['http://mirror.example/pub/debian', 'http://mirror.example/pub/debian-security'],
    [
      'https://old.example/archive/debian/20260912T000000Z',
      'https://old.example/archive/debian-security/20260912T000000Z',
    ],
  ])('%s', (mirror, sibling) => expect(securitySibling(mirror)).toBe(sibling));
});

describe('apt source formats', () => {
  it('reads enabled deb stanzas with several URIs over several lines', () => {
    const text = [
      'Types: deb deb-src\nURIs: http://a.example/debian\n http://b.example/debian/\nSuites: trixie',
      '# a remark\nEnabled: no\nTypes: deb\nURIs: http://off.example/debian',
      'Types: deb-src\nURIs: http://sources.example/debian',
    ].join('\n\n');
    expect(deb822Uris(text)).toEqual(['http://a.example/debian', 'http://b.example/debian/']);
  });

  it('reads deb lines with and without options, not remarks or sources', () => {
    const text =
      'deb http://a.example/debian trixie main\n# deb http://no.example/debian x\ndeb-src http://s.example/debian t\ndeb [signed-by=/k] http://b.example/debian trixie main\n';
    expect(oneLineUris(text)).toEqual(['http://a.example/debian', 'http://b.example/debian']);
  });
});

describe('chooseMirrors', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mirrors-test-'));
    await mkdir(join(folder, 'sources.list.d'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('takes the host’s Debian mirror and passes over third-party archives', async () => {
    await writeFile(
      join(folder, 'sources.list'),
      'deb https://packages.example/apt thing main\ndeb http://m.example/debian/ trixie main\n',
    );
    await writeFile(
      join(folder, 'sources.list.d/s.sources'),
      'Types: deb\nURIs: http://sec.example/debian-security\nSuites: trixie-security\n',
    );
    expect(await chooseMirrors({}, folder)).toEqual({
      debian: ['http://m.example/debian'],
      'debian-security': ['http://sec.example/debian-security', 'http://m.example/debian-security'],
    });
  });

  it('asks for --mirror where the host has none', async () => {
    await writeFile(join(folder, 'sources.list'), 'deb http://a.example/ubuntu noble main\n');
    await expect(chooseMirrors({}, folder)).rejects.toMatchObject({
      code: 'MIRROR_UNKNOWN',
      nextStep: expect.stringContaining('--mirror'),
    });
  });

  it('takes given mirrors in order, and refuses what is no URL', async () => {
    const given = await chooseMirrors({ mirrors: ['http://a.example/debian/', 'http://b.example/debian'] }, folder);
    expect(given.debian).toEqual(['http://a.example/debian', 'http://b.example/debian']);
    await expect(chooseMirrors({ mirrors: ['debian.example'] }, folder)).rejects.toMatchObject({
      code: 'MIRROR_INVALID',
    });
  });
});
