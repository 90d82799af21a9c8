/**
 * Two builds that share nothing but the package cache, on hosts that differ in all that a program can see of its host. The
 * second one is `image verify-build` of the first one's ISO. Host releases: test/matrix and scripts have their own tests.
 */
import {
  appendFile,
  chmod,
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  opendir,
  readdir,
  rm,
  statfs,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { sha256OfFile } from '../../scripts/fetch.ts';
import { projectRoot } from '../../scripts/project.ts';
import { differingParts } from '../../scripts/verify/compare-parts.ts';
import { isoParts, withIso } from '../../scripts/verify/iso-parts.ts';
import { copyCheckout, copyTree, type Host, NOBODY, otherHost, surroundings, usualHost } from './other-host.ts';

const BUILD_MS = 1_200_000;
const MEMORY_BYTES = 3 * 2 ** 30;
const PUBLISHED = ['cpushare-seller.iso', 'reference-values.json', 'cpushare-seller.cdx.json'].concat([
  'cpushare-seller.provenance.json',
  'build-manifest.json',
  'sizes.json',
]);

let onDisk: string;
let inMemory: string;
let usual: Host;
let other: Host;
let iso: string;

beforeAll(async () => {
  if (process.getuid?.() !== 0)
    throw new Error('becoming another user on another host needs root: sudo npm run test:matrix');
  const { bavail, bsize } = await statfs('/dev/shm');
  if (bavail * bsize < MEMORY_BYTES) throw new Error('/dev/shm needs 3 GiB: sudo mount -o remount,size=4G /dev/shm');
  onDisk = await mkdtemp(join(tmpdir(), 'cpushare-usual-'));
  inMemory = await mkdtemp('/dev/shm/cpushare other-');
  for (const folder of [onDisk, inMemory]) await chmod(folder, 0o755);
  usual = usualHost(join(onDisk, 'checkout'), join(onDisk, 'cache'));
  other = await otherHost(join(inMemory, 'the check out'), join(inMemory, 'cache'), inMemory);
  await copyCheckout(projectRoot, usual.checkout, 'names');
  await copyCheckout(projectRoot, other.checkout, 'reverse', NOBODY);
  for (const { cache } of [usual, other]) await mkdir(cache);
  await copyTree(cacheFolder(), join(usual.cache, 'cpushare'), 'names');
  await chown(other.cache, NOBODY, NOBODY);
  await copyTree(cacheFolder(), join(other.cache, 'cpushare'), 'reverse', NOBODY);
  iso = join(usual.checkout, 'dist/cpushare-seller.iso');
}, BUILD_MS);
afterAll(async () => {
  for (const folder of [onDisk, inMemory]) if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe('the image', () => {
  it('is built on a usual host', async () => {
    const { exitCode, all } = await usual.run('node', ['bin/cpushare.js', 'image', 'build']);
    expect(exitCode, all).toBe(0);
  });

  it('meets a host where everything is otherwise', async () => {
    const [here, there] = [await surroundings(usual), await surroundings(other)];
    expect(Object.keys(here).filter((name) => here[name] === there[name])).toEqual([]);
    const days = (Date.parse(there.day ?? '') - Date.parse(here.day ?? '')) / 86_400_000;
    expect(days).toBeGreaterThanOrEqual(399);
    for (const folder of ['node_modules', 'scripts', 'image/rootfs/etc']) {
      expect(await order(join(other.checkout, folder)), folder).not.toEqual(await order(join(usual.checkout, folder)));
    }
    // That clock is there without our environment too, and in programs with the lock's own loader.
    const date = await other.run('env', ['-i', '/usr/bin/date', '+%s']);
    expect(Number(date.stdout) * 1000 - Date.now()).toBeGreaterThan(399 * 86_400_000);
    const tool = await other.run('env', ['-i', 'LD_TRACE_LOADED_OBJECTS=1', ...(await lockedTool('usr/bin/xorriso'))]);
    expect(tool.stdout).toMatch(/libfaketimeMT\.so/);
  });

  it('has the same bytes there, and so have its papers', async () => {
    const out = join(other.checkout, 'out put');
    const { exitCode, all } = await other.run('node', verify(iso, out));
    expect(all).toContain('SAME BYTES');
    expect(exitCode, all).toBe(0);
    const [work = ''] = await readdir(out);
    for (const name of PUBLISHED) {
      const [one, two] = [join(usual.checkout, 'dist', name), join(out, work, 'rebuilt', name)];
      expect(await sha256OfFile(two), name).toBe(await sha256OfFile(one));
    }
  });
});

/** Of the usual host's build, which the other host may read. */
async function lockedTool(path: string): Promise<string[]> {
  const tools = join(usual.checkout, 'dist/build/tools');
  const [key = ''] = await readdir(tools);
  const root = join(tools, key, 'out/root');
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  return [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries, join(root, path)];
}

const verify = (file: string, folder: string) => ['bin/cpushare.js', 'image', 'verify-build', file, '--folder', folder];

async function order(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(folder)) names.push(name);
  return names;
}

describe('the comparison', () => {
  it('finds one changed line in one file of the root, and says where it comes from', async () => {
    const kept = join(onDisk, 'given.iso');
    await copyFile(iso, kept);
    await appendFile(join(usual.checkout, 'image/rootfs/etc/hosts'), '192.0.2.1 elsewhere\n');
    const { exitCode, all } = await usual.run('node', verify(kept, join(onDisk, 'again')));
    expect(exitCode, all).toBe(1);
    expect(all).toContain('The first component that differs: initrd: agent.sqfs');
    expect(all).toContain('in it, one path differs: /etc/hosts');
    expect(all).toMatch(/Source: {2}1 of \d+ differ here:\n +image\/rootfs\/etc\/hosts\n/);
    expect(all).toMatch(/Equal: .*kernel, .*initrd: base\.sqfs/);
  });

  it.each([
    { name: 'kernel', part: 'kernel' },
    { name: 'PID 1 of the initrd', part: 'initrd: init' },
    { name: 'root', part: 'initrd: base.sqfs' },
    { name: 'ESP', part: 'EFI system partition' },
    { name: 'lock', part: 'packages (image.lock.json)' },
    { name: 'partition table', part: 'system area (MBR and partition table)' },
  ])('finds one flipped bit in the $name', async ({ part }) => {
    const given = await withIso(iso, isoParts);
    const extent = given.find(({ name }) => name === part)?.extent;
    const flipped = join(onDisk, 'flipped.iso');
    await copyFile(iso, flipped);
    await flipBit(flipped, (extent?.start ?? 0) + Math.floor((extent?.sizeBytes ?? 0) / 2));
    const differences = differingParts(await withIso(flipped, isoParts), given);
    expect(differences[0]?.name).toBe(part);
    expect(differences.at(-1)?.name).toBe('the whole ISO (folders, padding)');
  });
});

async function flipBit(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await handle.write(byte, 0, 1, position);
  } finally {
    await handle.close();
  }
}
