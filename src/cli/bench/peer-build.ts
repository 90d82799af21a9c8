/**
 * Builds an image of another live-image builder to compare with: its own Debian 13 root, its recipe beside this file. Needs
 * root, mmdebstrap and a Debian mirror; kept in the cache until the recipe changes.
 */
import { createHash } from 'node:crypto';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { chooseMirrors } from '../../../scripts/apt/mirrors.ts';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { projectRoot } from '../../../scripts/project.ts';
import type { Cleanup } from '../demo/cleanup.ts';

export interface Peer {
  readonly name: string;
  readonly recipe: string;
  /** What its builder needs in its root. */
  readonly packages: readonly string[];
}

export const peers: readonly Peer[] = [
  {
    name: 'live-build',
    recipe: 'live-build.sh',
    packages: [
      ...['live-build', 'cpio', 'dosfstools', 'grub-common', 'grub-efi-amd64-bin', 'kmod', 'mount', 'mtools'],
      ...['squashfs-tools', 'xorriso', 'zstd'],
    ],
  },
  {
    name: 'mkosi',
    recipe: 'mkosi.sh',
    packages: [
      ...[
        'mkosi',
        'bubblewrap',
        'cpio',
        'dosfstools',
        'e2fsprogs',
        'kmod',
        'mount',
        'mtools',
        'squashfs-tools',
        'zstd',
      ],
      ...['systemd-boot', 'systemd-repart', 'systemd-ukify', 'uidmap'],
    ],
  },
];

/** Why a peer is not measured here, for the person who runs the bench. */
export class PeerSkipped extends Error {}

const RECIPES = join(projectRoot, 'src/cli/bench/peer-recipes');

/** @returns the image. @throws PeerSkipped where it cannot be built */
export async function buildPeer(
  peer: Peer,
  cleanup: Pick<Cleanup, 'add'>,
  say: (line: string) => void,
): Promise<string> {
  const folder = join(cacheFolder(), 'peers');
  const image = join(folder, `${peer.name}-${await recipeHash(peer)}.img`);
  if (await exists(image)) return image;
  if (process.getuid?.() !== 0) throw new PeerSkipped('building it needs root');
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, 'build-'));
  const remove = () => rm(work, { recursive: true, force: true });
  cleanup.add(remove);
  say(`building ${peer.name}: some minutes, over the network`);
  try {
    await makeImage(peer, work);
    await rename(join(work, 'root/work/image'), image);
  } finally {
    await remove();
  }
  return image;
}

async function makeImage(peer: Peer, work: string): Promise<void> {
  const { debian, 'debian-security': security } = await chooseMirrors({});
  const [mirror = '', securityMirror = ''] = [debian[0], security[0]];
  const root = join(work, 'root');
  const packages = ['debootstrap', 'debian-archive-keyring', 'ca-certificates', ...peer.packages].join(',');
  await run('mmdebstrap', [
    '--variant=apt',
    `--include=${packages}`,
    ...['--aptopt', 'APT::Install-Recommends "false"'],
    'trixie',
    root,
    mirror,
  ]);
  await cp(RECIPES, join(root, 'work'), { recursive: true });
  const inRoot = ['bash', join(RECIPES, 'in-root.sh'), root, peer.recipe];
  await run('unshare', ['--mount', '--pid', '--fork', '--kill-child', ...inRoot], {
    MIRROR: mirror,
    SECURITY_MIRROR: securityMirror,
  });
}

async function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const ended = await execa(program, args, { stdin: 'ignore', all: true, reject: false, env, maxBuffer: 1e8 });
  if (ended.code === 'ENOENT') throw new PeerSkipped(`${program} is not installed (sudo apt install ${program})`);
  if (!ended.failed) return;
  const said = (ended.all ?? '').trim().split('\n').slice(-6).join('\n  ');
  throw new PeerSkipped(`${program} could not build it:\n  ${said}`);
}

async function recipeHash(peer: Peer): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(peer));
  const shared = (await readdir(RECIPES)).filter((name) => !peers.some(({ recipe }) => recipe === name));
  for (const name of [peer.recipe, ...shared.sort()]) hash.update(name).update(await readFile(join(RECIPES, name)));
  return hash.digest('hex').slice(0, 16);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
