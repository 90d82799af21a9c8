import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchPackages } from './fetch.ts';
import type { LockedPackage } from './lock-file.ts';

const content = Buffer.from('a package of some length, '.repeat(4000));
const one: LockedPackage = {
  name: 'tool',
  version: '1:2.0~rc1+b1',
  archive: 'debian',
  path: 'pool/main/t/tool/tool_2.0~rc1+b1_amd64.deb',
  sizeBytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
  roles: ['root'],
};

interface Answer {
  readonly status?: number;
  readonly body?: Buffer;
  /** Close the connection after so many bytes. */
  readonly cutAfter?: number;
}

let cache: string;
let server: Server;
let requests: { url: string; range: string | undefined }[];
let answers: Answer[];

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'fetch-test-'));
  requests = [];
  answers = [];
  server = createServer((request, response) => {
    const range = request.headers.range;
    requests.push({ url: request.url ?? '', range });
    const { status = 200, body = content, cutAfter } = answers.shift() ?? {};
    if (status !== 200) return response.writeHead(status).end();
    const start = range === undefined ? 0 : Number(/bytes=(\d+)-/.exec(range)?.[1]);
    response.writeHead(range === undefined ? 200 : 206, { 'content-length': body.length - start });
    if (cutAfter === undefined) return response.end(body.subarray(start));
    return response.write(body.subarray(start, start + cutAfter), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true, force: true });
});

const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const deb = () => join(cache, 'debs/sha256', `${one.sha256}.deb`);
const run = (mirrors = [`${base()}/debian`]) =>
  fetchPackages([one], { cache, mirrors: async () => ({ debian: mirrors, 'debian-security': [] }) });

describe('fetchPackages', () => {
  it('downloads once and then needs no mirror', async () => {
    expect(await run()).toEqual(new Map([[one.sha256, deb()]]));
    expect(await readFile(deb())).toEqual(content);
    await fetchPackages([one], { cache, mirrors: () => Promise.reject(new Error('asked for mirrors')) });
    expect(requests).toHaveLength(1);
  });

  it('tries again when a transfer breaks off', async () => {
    answers = [{ cutAfter: 50_000 }];
    await run();
    expect(await readFile(deb())).toEqual(content);
  });

  it('goes on where an earlier run stopped', async () => {
    await mkdir(join(cache, 'debs/sha256'), { recursive: true });
    await writeFile(`${deb()}.part`, content.subarray(0, 50_000));
    await run();
    expect(requests.map((request) => request.range)).toEqual(['bytes=50000-']);
    expect(await readFile(deb())).toEqual(content);
  });

  it('fetches a damaged cached file again', async () => {
    await run();
    const damaged = Buffer.from(content);
    damaged[77] = 0;
    await writeFile(deb(), damaged);
    await run();
    expect(await readFile(deb())).toEqual(content);
  });

  it('names a damaged cached file when no mirror answers', async () => {
    await run();
    await writeFile(deb(), Buffer.alloc(content.length));
    const offline = run(['http://127.0.0.1:1/debian']);
    await expect(offline).rejects.toMatchObject({ code: 'MIRROR_FAILED', message: expect.stringContaining('damaged') });
    expect(await readdir(join(cache, 'debs/sha256'))).toEqual([]);
  });

  it('asks the next mirror for what the first has dropped', async () => {
    answers = [{ status: 404 }];
    await run([`${base()}/first`, `${base()}/second`]);
    expect(requests.map((request) => request.url.split('/')[1])).toEqual(['first', 'second']);
  });

  it('names package, version and next step when every mirror has dropped it', async () => {
    answers = [{ status: 404 }, { status: 404 }];
    await expect(run([`${base()}/first`, `${base()}/second`])).rejects.toMatchObject({
      code: 'PACKAGE_DROPPED',
      message: expect.stringContaining('tool 1:2.0~rc1+b1'),
      nextStep: expect.stringContaining('npx cpushare image lock'),
    });
  });

  it.each([
    { name: 'a flipped byte', body: Buffer.from(content.map((byte, at) => (at === 9 ? byte ^ 1 : byte))) },
    { name: 'bytes too many', body: Buffer.concat([content, Buffer.from('!')]) },
  ])('never keeps $name from a mirror', async ({ body }) => {
    answers = Array.from({ length: 3 }, () => ({ body }));
    await expect(run()).rejects.toMatchObject({ code: 'PACKAGE_CORRUPT' });
    expect(await readdir(join(cache, 'debs/sha256'))).toEqual([]);
  });

  it('says once and clearly that the disk is full', async () => {
    await mkdir(join(cache, 'debs/sha256'), { recursive: true });
    await symlink('/dev/full', `${deb()}.part`);
    await expect(run()).rejects.toMatchObject({
      code: 'DISK_FULL',
      nextStep: expect.stringContaining('free some space'),
    });
    expect(await readdir(join(cache, 'debs/sha256'))).toEqual([`${one.sha256}.deb.part`]);
  });
});
