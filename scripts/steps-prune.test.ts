import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pruneSteps } from './steps-prune.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const now = new Date('2026-06-01T00:00:00Z').getTime();

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cpushare-prune-'));
});
afterEach(() => rm(root, { recursive: true }));

async function file(path: string, daysAgo = 0): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), 'x');
  const used = new Date(now - daysAgo * DAY_MS);
  await utimes(join(root, path), used, used);
}

it('keeps what was used in the last 30 days, and takes away the rest and what an earlier layout left', async () => {
  for (const [result, daysAgo] of Object.entries({
    'tools/a': 1,
    'tools/b': 31,
    'package/nodejs/c': 29,
    'package/gone/d': 40,
    'seller/iso/e': 0,
    'seller-wifi/iso/f': 90,
  })) {
    await file(`${result}/record.json`, daysAgo);
    await file(`${result}/out/usr/bin/x`, 400);
  }
  await file('seller/sell-client.js', 1);
  await file('seller-wifi/sell-client.js', 90);
  await file('medium/0123/image.iso');
  await file('package/nodejs/c.1f.part/out/half');
  await pruneSteps(root, now);
  expect((await readdir(root)).sort()).toEqual(['package', 'seller', 'tools']);
  expect(await readdir(join(root, 'tools'))).toEqual(['a']);
  expect(await readdir(join(root, 'package'))).toEqual(['nodejs']);
  expect(await readdir(join(root, 'package/nodejs'))).toEqual(['c']);
  expect((await readdir(join(root, 'seller'))).sort()).toEqual(['iso', 'sell-client.js']);
  expect(await readdir(join(root, 'seller/iso/e/out/usr/bin'))).toEqual(['x']);
});
