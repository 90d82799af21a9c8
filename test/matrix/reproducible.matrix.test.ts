/**
 * Two builds that share nothing but the package cache, on hosts that differ in all that a program can see of its host. The
 * second one is `image verify-build` of the first one's ISO. Where they differ, one thing at a time is varied to name the
 * cause. Host releases: test/matrix/build-hosts.matrix.test.ts.
 */
import {
  appendFile,
  chmod,
  copyFile,
  mkdtemp,
  open,
  opendir,
  readdir,
  readFile,
  rm,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256OfFile } from '../../scripts/fetch.ts';
import { differingParts } from '../../scripts/verify/compare-parts.ts';
import { isoParts, withIso } from '../../scripts/verify/iso-parts.ts';
import { type Host, makeHost, type Places, surroundings, VARIATIONS, type Variation } from './other-host.ts';
import { describeSeparation, separate } from './separate.ts';

/** One build, with the copies of checkout and package cache before it, on a busy machine. */
const BUILD_MS = 900_000;
const MEMORY_BYTES = 3 * 2 ** 30;
const PUBLISHED = ['cpushare-seller.iso', 'reference-values.json', 'cpushare-seller.cdx.json'].concat([
  'cpushare-seller.provenance.json',
  'build-manifest.json',
  'sizes.json',
]);

let places: Places;
let usual: Host;
let other: Host;
let iso: string;

beforeAll(async () => {
  if (process.getuid?.() !== 0)
    throw new Error('becoming another user on another host needs root: sudo npm run test:matrix');
  const { bavail, bsize } = await statfs('/dev/shm');
  if (bavail * bsize < MEMORY_BYTES) throw new Error('/dev/shm needs 3 GiB: sudo mount -o remount,size=4G /dev/shm');
  places = {
    disk: await mkdtemp(join(tmpdir(), 'cpushare-hosts-')),
    memory: await mkdtemp('/dev/shm/cpushare-hosts-'),
  };
  for (const folder of Object.values(places)) await chmod(folder, 0o755);
  usual = await makeHost(places, []);
  other = await makeHost(places, VARIATIONS);
  iso = join(places.disk, 'given.iso');
}, BUILD_MS);
afterAll(async () => {
  for (const folder of Object.values(places ?? {})) await rm(folder, { recursive: true, force: true });
}, BUILD_MS);

function verify(host: Host, given: string) {
  const folder = join(host.seenAt, 'out/put');
  return host.run('node', ['bin/cpushare.js', 'image', 'verify-build', given, '--folder', folder]);
}

/** Undefined: the host builds the same bytes. */
async function firstDifference(host: Host): Promise<string | undefined> {
  const { exitCode, all } = await verify(host, iso);
  if (exitCode === 0 && all.includes('SAME BYTES')) return undefined;
  const first = /^DIFFERENT\. The first component that differs: (.+)$/m.exec(all)?.[1];
  if (exitCode !== 1 || first === undefined) throw new Error(`verify-build ended with ${exitCode}:\n${all}`);
  console.log(all);
  return first;
}

async function onNewHost(varied: readonly Variation[], prepare = async (_host: Host) => {}) {
  const host = await makeHost(places, varied);
  try {
    await prepare(host);
    return await firstDifference(host);
  } finally {
    await host.remove();
  }
}

describe('the image', () => {
  it(
    'is built on a usual host',
    async () => {
      const { exitCode, all } = await usual.run('node', ['bin/cpushare.js', 'image', 'build']);
      expect(exitCode, all).toBe(0);
      await copyFile(join(usual.home, 'checkout/dist/cpushare-seller.iso'), iso);
    },
    BUILD_MS,
  );

  it('meets a host where everything is otherwise', async () => {
    const [here, there] = [await surroundings(usual), await surroundings(other)];
    const same = VARIATIONS.filter((one) => one !== 'order of folders' && here[one] === there[one]);
    expect(same).toEqual([]);
    expect(Date.parse(there.day) - Date.parse(here.day)).toBeGreaterThanOrEqual(399 * 86_400_000);
    for (const folder of ['node_modules', 'scripts', 'image/rootfs/etc'].map((name) => join('checkout', name))) {
      expect(await order(join(other.home, folder)), folder).not.toEqual(await order(join(usual.home, folder)));
    }
    // That clock is there without our environment too, and in programs with the lock's own loader.
    const date = await other.run('env', ['-i', '/usr/bin/date', '+%s']);
    expect(Number(date.stdout) * 1000 - Date.now()).toBeGreaterThan(399 * 86_400_000);
    const tool = await other.run('env', ['-i', 'LD_TRACE_LOADED_OBJECTS=1', ...(await lockedTool('usr/bin/xorriso'))]);
    expect(tool.stdout).toMatch(/libfaketimeMT\.so/);
  });

  it.each(VARIATIONS.filter((one) => one !== 'order of folders'))(
    'meets a host where nothing but the %s is otherwise',
    async (variation) => {
      const host = await makeHost(places, [variation], 'empty');
      const [here, there] = [await surroundings(usual), await surroundings(host)].map(Object.entries);
      await host.remove();
      expect(here?.filter(([name, value]) => new Map(there).get(name) !== value).map(([name]) => name)).toEqual([
        variation,
      ]);
    },
  );

  it(
    'has the same bytes there, and so have its papers',
    async () => {
      const found = await separate(VARIATIONS, (varied) =>
        varied === VARIATIONS ? firstDifference(other) : onNewHost(varied),
      );
      expect(describeSeparation(found)).toBe('same bytes');
      const out = join(other.home, 'out/put');
      const [work = ''] = await readdir(out);
      for (const name of PUBLISHED) {
        const [one, two] = [join(usual.home, 'checkout/dist', name), join(out, work, 'rebuilt', name)];
        expect(await sha256OfFile(two), name).toBe(await sha256OfFile(one));
      }
    },
    (VARIATIONS.length + 2) * BUILD_MS,
  );
});

/** Of the usual host's build, which the other host may read. */
async function lockedTool(path: string): Promise<string[]> {
  const tools = join(usual.home, 'checkout/dist/build/tools');
  const [key = ''] = await readdir(tools);
  const root = join(tools, key, 'out/root');
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  return [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries, join(root, path)];
}

async function order(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(folder)) names.push(name);
  return names;
}

describe('the comparison', () => {
  it(
    'finds which one thing about the host a build hangs on',
    async () => {
      const found = await separate(['host name', 'time zone'] as const, (varied) =>
        onNewHost(varied, leakTheLocalHour),
      );
      expect(describeSeparation(found)).toBe(
        'the first component that differs: grub.cfg; caused by: time zone (first in grub.cfg)',
      );
    },
    4 * BUILD_MS,
  );

  it(
    'finds one changed line in one file of the root, and says where it comes from',
    async () => {
      await appendFile(join(usual.home, 'checkout/image/rootfs/etc/hosts'), '192.0.2.1 elsewhere\n');
      const { exitCode, all } = await verify(usual, iso);
      expect(exitCode, all).toBe(1);
      expect(all).toContain('The first component that differs: initrd: agent.sqfs');
      expect(all).toContain('in it, one path differs: /etc/hosts');
      expect(all).toMatch(/Source: {2}1 of \d+ differ here:\n +image\/rootfs\/etc\/hosts\n/);
      expect(all).toMatch(/Equal: .*kernel, .*initrd: base\.sqfs/);
    },
    BUILD_MS,
  );

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
    const flipped = join(places.disk, 'flipped.iso');
    await copyFile(iso, flipped);
    await flipBit(flipped, (extent?.start ?? 0) + Math.floor((extent?.sizeBytes ?? 0) / 2));
    const differences = differingParts(await withIso(flipped, isoParts), given);
    expect(differences[0]?.name).toBe(part);
    expect(differences.at(-1)?.name).toBe('the whole ISO (folders, padding)');
  });
});

/** Into GRUB's configuration, where it is not 0 o'clock as in UTC. */
async function leakTheLocalHour(host: Host): Promise<void> {
  const path = join(host.home, 'checkout/dist/js/scripts/grub.js');
  const text = await readFile(path, 'utf8');
  const leaking = text.replace(
    'return mustache.render(input.template',
    `return '#'.repeat(new Date(0).getHours()) + mustache.render(input.template`,
  );
  expect(leaking).not.toBe(text);
  await writeFile(path, leaking);
}

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
