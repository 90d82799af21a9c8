/** Changelogs and boot loaders read out of made .debs that come from a made mirror folder. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseMirrors } from '../apt/mirrors.ts';
import type { ImageLock, LockedPackage } from '../lock-file.ts';
import { debFile, type Member } from '../testing/deb-file.ts';
import { peFile } from '../testing/pe-file.ts';
import { differenceOf } from './difference.ts';
import { formatUpdate } from './format.ts';
import { readNews } from './news.ts';

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'news-test-'));
  await mkdir(join(scratch, 'mirror/debian/pool'), { recursive: true });
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

interface Made {
  readonly version: string;
  readonly source?: string;
  readonly roles?: LockedPackage['roles'];
  readonly members?: readonly Member[];
  /** Absent from the mirror. */
  readonly dropped?: boolean;
}

async function made(name: string, { version, source = name, roles = ['root'], members = [], dropped }: Made) {
  const deb = await debFile([{ name: `./usr/share/${name}`, content: version }, ...members]);
  const path = `pool/main/${source[0]}/${source}/${name}_${version}_amd64.deb`;
  const place = join(scratch, 'mirror/debian', path);
  await mkdir(dirname(place), { recursive: true });
  if (dropped !== true) await writeFile(place, deb);
  const sha256 = createHash('sha256').update(deb).digest('hex');
  return { name, version, archive: 'debian', path, sizeBytes: deb.length, sha256, roles } satisfies LockedPackage;
}

const lock = (packages: LockedPackage[]): ImageLock => ({
  format: 'cpushare-image-lock',
  version: 1,
  imageSpecSha256: '0'.repeat(64),
  sourceDateEpoch: 1,
  indexes: [],
  packages,
});

const entry = (source: string, version: string, text: string, settings = 'urgency=medium') =>
  `${source} (${version}) trixie; ${settings}\n\n  * ${text}\n\n -- A Person <a@example.org>  Tue, 29 Sep 2026 22:10:28 +0200\n\n`;

const file = (name: string, text: string): Member => ({ name: `./usr/share/doc/${name}.gz`, content: gzipSync(text) });

async function told(before: LockedPackage[], after: LockedPackage[]): Promise<string[]> {
  const difference = differenceOf(lock(before), lock(after));
  const mirrors = () => chooseMirrors({ mirrors: [join(scratch, 'mirror')] });
  const news = await readNews(difference, lock(after), { cache: join(scratch, 'cache'), mirrors });
  return formatUpdate(difference, news).split('\n');
}

describe('readNews', () => {
  it('reads the changelog of the new package down to the old version', async () => {
    const text =
      entry('tls', '3', 'CVE-2026-10003', 'urgency=high') +
      entry('tls', '2', 'x') +
      entry('tls', '1', 'CVE-2026-10001');
    const after = await made('libtls', {
      version: '3',
      source: 'tls',
      members: [file('libtls/changelog.Debian', text)],
    });
    expect(await told([await made('libtls', { version: '1', source: 'tls' })], [after])).toContain(
      '  tls: SECURITY, urgency high, CVE-2026-10003',
    );
  });

  it('reads a rebuild’s own entry, and Debian’s own software', async () => {
    const members = [
      file('box/changelog', entry('box', '1', 'source')),
      file('box/changelog.amd64', entry('box', '1+b2', 'Rebuild', 'urgency=low, binary-only=yes')),
    ];
    expect(
      await told([await made('box', { version: '1+b1' })], [await made('box', { version: '1+b2', members })]),
    ).toContain('  box: rebuilt without a change of its source, urgency low');
  });

  it('follows a documentation folder that is a link to another package', async () => {
    const link: Member = { name: './usr/share/doc/libpart', type: 'symlink', linkname: 'whole-base' };
    const base = await made('whole-base', {
      version: '2',
      roles: ['tools'],
      members: [file('whole-base/changelog.Debian', entry('whole', '2', 'CVE-2026-10009'))],
    });
    const after = await made('libpart', { version: '2', source: 'whole', members: [link] });
    const before = await made('libpart', { version: '1', source: 'whole' });
    expect(await told([before, base], [after, base])).toContain('  whole: SECURITY, urgency medium, CVE-2026-10009');
  });

  it('says what it could not learn, and goes on', async () => {
    const damaged: Member = { name: './usr/share/doc/bad/changelog.Debian.gz', content: 'no gzip' };
    const before = await Promise.all(['bad', 'gone', 'mute'].map((name) => made(name, { version: '1' })));
    const lines = await told(before, [
      await made('bad', { version: '2', members: [damaged] }),
      await made('gone', { version: '2', dropped: true }),
      await made('mute', { version: '2' }),
    ]);
    expect(lines).toContain('  bad: changelog unknown: it cannot be unpacked');
    expect(lines).toContain('  gone: changelog unknown: the package cannot be had (PACKAGE_DROPPED)');
    expect(lines).toContain('  mute: changelog unknown: the package holds no changelog');
  });

  it('compares the SBAT levels of both shims, or says that the old one is gone', async () => {
    const shim = (version: string, generation: number, dropped = false) => {
      const sbat = Buffer.from(`sbat,1,SBAT Version,sbat,1,u\nshim,${generation},UEFI shim,shim,1,u\n`);
      const content = peFile([{ name: '.sbat', content: sbat }]);
      const members = [{ name: './usr/lib/shim/shimx64.efi.signed', content }];
      return made('shim-signed', { version, roles: ['boot'], members, dropped });
    };
    expect(await told([await shim('1', 4)], [await shim('2', 5)])).toContain('  shim-signed: shim 4 → 5');
    expect(await told([await shim('0', 4, true)], [await shim('2', 5)])).toContain(
      '  shim-signed: not known, one of its two files cannot be had or read',
    );
  });
});
