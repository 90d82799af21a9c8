/** A lock's files kept in a folder, and fetched again from that folder alone: no network, an empty cache. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseMirrors } from './apt/mirrors.ts';
import { decompressInProcess, unpackDeb } from './deb.ts';
import { fetchPackages } from './fetch.ts';
import type { ImageLock, LockedPackage } from './lock-file.ts';
import { mirrorLock } from './mirror.ts';
import { debFile } from './testing/deb-file.ts';

let scratch: string;
let lock: ImageLock;
const contents = new Map<string, Buffer>();

beforeEach(async () => {
  // A blank and a percent sign: the folder's name must survive the way into a URL and back.
  scratch = await mkdtemp(join(tmpdir(), 'mirror test %41-'));
  const packages = [
    await made('tool', '2.0~rc1+b1', 'debian', 'pool/main/t/tool/tool_2.0~rc1+b1_amd64.deb'),
    await made('safe', '1:3-1', 'debian-security', 'pool/updates/main/s/safe/safe_3-1_all.deb'),
  ];
  lock = {
    format: 'cpushare-image-lock',
    version: 1,
    imageSpecSha256: '0'.repeat(64),
    sourceDateEpoch: 1,
    indexes: [],
    packages,
  };
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

async function made(name: string, version: string, archive: LockedPackage['archive'], path: string) {
  const deb = await debFile([{ name: `./usr/share/${name}/word`, content: `${name} ${version}` }]);
  const sha256 = createHash('sha256').update(deb).digest('hex');
  contents.set(sha256, deb);
  return { name, version, archive, path, sizeBytes: deb.length, sha256, roles: ['root'] } satisfies LockedPackage;
}

/** What Debian's own mirror would hold. */
async function origin(): Promise<string> {
  const folder = join(scratch, 'origin');
  for (const one of lock.packages) {
    const place = join(folder, one.archive, one.path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, contents.get(one.sha256) ?? '');
  }
  return folder;
}

const noMirrors = () => Promise.reject(new Error('asked for mirrors'));
const kept = () => join(scratch, 'kept');
const keep = async (mirrors = async () => chooseMirrors({ mirrors: [await origin()] })) =>
  mirrorLock(lock, { folder: kept(), cache: join(scratch, 'cache'), mirrors });

async function fetchWithEmptyCache(mirror: string) {
  const cache = join(scratch, 'empty');
  return fetchPackages(lock.packages, { cache, mirrors: () => chooseMirrors({ mirrors: [mirror] }) });
}

async function expectAllFetched(debs: ReadonlyMap<string, string>) {
  for (const one of lock.packages) {
    const folder = join(scratch, 'tree', one.name);
    await unpackDeb(debs.get(one.sha256) ?? '', folder, decompressInProcess);
    expect(await readFile(join(folder, `usr/share/${one.name}/word`), 'utf8')).toBe(`${one.name} ${one.version}`);
  }
}

describe('mirrorLock', () => {
  it('makes a folder from which every locked file can be fetched, by path and by URL', async () => {
    const reports: number[] = [];
    const mirrors = async () => chooseMirrors({ mirrors: [await origin()] });
    const progress = ({ doneBytes }: { doneBytes: number }) => reports.push(doneBytes);
    const done = await mirrorLock(lock, { folder: kept(), cache: join(scratch, 'cache'), mirrors, progress });
    expect(done).toEqual({ copied: 2, kept: 0, totalBytes: reports.at(-1) });
    await rm(join(scratch, 'origin'), { recursive: true });
    for (const mirror of [kept(), pathToFileURL(kept()).href, pathToFileURL(join(kept(), 'debian')).href]) {
      await rm(join(scratch, 'empty'), { recursive: true, force: true });
      await rm(join(scratch, 'tree'), { recursive: true, force: true });
      await expectAllFetched(await fetchWithEmptyCache(mirror));
    }
  });

  it('can be served by any HTTP server', async () => {
    await keep();
    const server = createServer(async (request, response) => {
      response.end(await readFile(join(kept(), decodeURIComponent(request.url ?? ''))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await expectAllFetched(await fetchWithEmptyCache(`http://127.0.0.1:${port}/debian`));
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('asks nobody for what is right already, and replaces what is not', async () => {
    await keep();
    const [first] = lock.packages;
    const place = join(kept(), 'debian', first?.path ?? '');
    const before = await stat(place);
    expect(await keep(noMirrors)).toMatchObject({ copied: 0, kept: 2 });
    expect((await stat(place)).mtimeMs).toBe(before.mtimeMs);
    await writeFile(place, Buffer.alloc(first?.sizeBytes ?? 0));
    expect(await keep(noMirrors)).toMatchObject({ copied: 1, kept: 1 });
    expect(await readFile(place)).toEqual(contents.get(first?.sha256 ?? ''));
  });

  it('leaves nothing half-written where it may not write', async () => {
    await mkdir(kept());
    await writeFile(join(kept(), 'debian-security'), 'a file in the way');
    await expect(keep()).rejects.toMatchObject({ code: 'MIRROR_FOLDER_FAILED', nextStep: expect.any(String) });
    const names = await readdir(kept(), { recursive: true });
    expect(names.filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(names).toContain(join('debian', lock.packages[0]?.path ?? ''));
  });

  it('takes no other bytes from a damaged mirror folder', async () => {
    await keep();
    const [first] = lock.packages;
    await writeFile(join(kept(), 'debian', first?.path ?? ''), Buffer.alloc(first?.sizeBytes ?? 0));
    await expect(fetchWithEmptyCache(kept())).rejects.toMatchObject({ code: 'PACKAGE_CORRUPT' });
    await rm(join(kept(), 'debian', first?.path ?? ''));
    await expect(fetchWithEmptyCache(kept())).rejects.toMatchObject({ code: 'PACKAGE_DROPPED' });
  });
});

describe('chooseMirrors', () => {
  it('refuses a folder that is no mirror', async () => {
    await expect(chooseMirrors({ mirrors: [scratch] })).rejects.toMatchObject({ code: 'MIRROR_INVALID' });
    await expect(chooseMirrors({ mirrors: ['file://host/share'] })).rejects.toMatchObject({ code: 'MIRROR_INVALID' });
  });
});
