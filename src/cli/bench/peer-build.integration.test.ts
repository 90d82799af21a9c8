/** Where a peer cannot be built, it is skipped by name, with the reason, and nothing half-built stays. */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildPeer, PeerSkipped, peers } from './peer-build.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'cpushare-peers-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
  vi.stubEnv('PATH', join(cache, 'bin'));
  await mkdir(join(cache, 'bin'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

const build = () =>
  buildPeer(peers[0] as (typeof peers)[number], { add: () => undefined }, () => undefined).catch(
    (error: Error) => error,
  );
const reasonOf = (outcome: string | Error) => (outcome instanceof PeerSkipped ? outcome.message : String(outcome));
const root = process.getuid?.() === 0;

describe('buildPeer', () => {
  it('names the program that is missing, or that it needs root', async () => {
    expect(reasonOf(await build())).toMatch(root ? /^mmdebstrap is not installed/ : /needs root/);
    if (root) expect(await readdir(join(cache, 'cpushare/peers'))).toEqual([]);
  });

  it.runIf(root)('passes on the last words of a builder that failed, as one without a network does', async () => {
    await symlink('/bin/sh', join(cache, 'bin/sh'));
    const script = '#!/bin/sh\necho "E: unable to reach the mirror" >&2\nexit 100\n';
    await writeFile(join(cache, 'bin/mmdebstrap'), script, { mode: 0o755 });
    expect(reasonOf(await build())).toMatch(/^mmdebstrap could not build it:\n\s+E: unable to reach the mirror/);
    expect(await readdir(join(cache, 'cpushare/peers'))).toEqual([]);
  });
});
