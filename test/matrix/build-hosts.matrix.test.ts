/**
 * The image built on a Debian 12 and on a Debian 13 that hold nothing but their base system and Node.js, with a PATH of
 * `node` alone: the same bytes as here. Debian 13 runs its own Node.js; Debian 12, whose own is too old, runs the one that
 * runs this test.
 */
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { buildImage } from '../../scripts/build.ts';
import type { BuildManifest } from '../../scripts/build-manifest.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';
import { type DebianRoot, makeDebianRoot } from '../../scripts/testing/debian-root.ts';

const isRoot = process.getuid?.() === 0;
const CHECKOUT = '/home/somebody/cpushare live';

let scratch: string;
let here: BuildManifest;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'cpushare-hosts-'));
  const built = await buildImage({
    projectRoot,
    outputFolder: join(projectRoot, 'dist'),
    cacheFolder: cacheFolder(),
    mirrors: () => chooseMirrors({}),
    progress: () => undefined,
  });
  here = await readManifest(built.manifest);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const readManifest = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as BuildManifest;

/** What git holds and what `npm run setup` makes; no finished step of a build. */
async function copyCheckout(to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const part of ['bin', 'image', 'packages', 'scripts', 'src', 'package.json', 'package-lock.json', 'dist/js']) {
    await cp(join(projectRoot, part), join(to, part), { recursive: true });
  }
  for (const name of ['tsconfig.json', 'tsconfig.base.json', 'tsconfig.node.json']) {
    await copyFile(join(projectRoot, name), join(to, name));
  }
}

/** Nothing else can be started by its name. */
async function onlyNode(root: DebianRoot, node: string): Promise<string> {
  await mkdir(join(root.folder, 'only'));
  await symlink(node, join(root.folder, 'only/node'));
  return '/only';
}

async function buildIn(root: DebianRoot, node: string): Promise<BuildManifest> {
  await copyCheckout(join(root.folder, CHECKOUT));
  const path = await onlyNode(root, node);
  await root.run([node, join(CHECKOUT, 'bin/cpushare.js'), 'image', 'build'], {
    binds: [
      { from: join(projectRoot, 'node_modules'), to: join(CHECKOUT, 'node_modules'), writable: false },
      { from: cacheFolder(), to: '/cache/cpushare', writable: true },
    ],
    env: { PATH: path, HOME: '/home/somebody', XDG_CACHE_HOME: '/cache' },
  });
  return readManifest(join(root.folder, CHECKOUT, 'dist/build-manifest.json'));
}

describe.skipIf(!isRoot)(
  `a host with Node.js alone${isRoot ? '' : ' (skipped: only root can make one in a folder)'}`,
  () => {
    it('Debian 13, with its own nodejs, builds the same bytes', async () => {
      const root = await makeDebianRoot('trixie', join(scratch, 'trixie'), ['nodejs']);
      try {
        expect(root.name).toContain('Debian GNU/Linux 13');
        expect((await buildIn(root, '/usr/bin/node')).components).toEqual(here.components);
      } finally {
        await root.remove();
      }
    });

    it('Debian 12, with the Node.js of this host, builds the same bytes', async () => {
      // libstdc++6 and libatomic1 are what a Node.js from nodejs.org or NodeSource needs.
      const root = await makeDebianRoot('bookworm', join(scratch, 'bookworm'), ['libstdc++6', 'libatomic1']);
      try {
        expect(root.name).toContain('Debian GNU/Linux 12');
        await mkdir(join(root.folder, 'opt/node'), { recursive: true });
        await copyFile(process.execPath, join(root.folder, 'opt/node/node'));
        expect((await buildIn(root, '/opt/node/node')).components).toEqual(here.components);
      } finally {
        await root.remove();
      }
    });
  },
);
