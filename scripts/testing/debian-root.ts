/** Fresh Debian systems in a folder, to try what a host must have. Needs root and mmdebstrap. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { chooseMirrors } from '../apt/mirrors.ts';

export interface DebianRoot {
  readonly folder: string;
  /** What it says of itself, such as `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string;
  /** Folders of the host appear at their places in it. */
  run(command: readonly string[], options: RunOptions): Promise<string>;
  remove(): Promise<void>;
}

export interface RunOptions {
  readonly binds: readonly { readonly from: string; readonly to: string; readonly writable: boolean }[];
  readonly env: Readonly<Record<string, string>>;
}

/** Debian's smallest system with apt, and what `include` names; packages come from the host's own mirror. */
export async function makeDebianRoot(suite: string, folder: string, include: readonly string[]): Promise<DebianRoot> {
  const [mirror = ''] = (await chooseMirrors({})).debian;
  await execa('mmdebstrap', [
    ...['--mode=root', '--variant=minbase', '--aptopt=Apt::Install-Recommends "false"'],
    ...include.map((name) => `--include=${name}`),
    ...[suite, folder, mirror],
  ]);
  const { stdout } = await execa('sh', ['-c', '. "$1" && echo "$PRETTY_NAME"', 'sh', join(folder, 'etc/os-release')]);
  return {
    folder,
    name: stdout,
    async run(command, { binds, env }) {
      for (const { to } of binds) await mkdir(join(folder, to), { recursive: true });
      // A mount namespace of its own: whatever happens, nothing stays mounted.
      const mounts = binds.flatMap(({ from, to, writable }) => [
        `mount --bind '${from}' '${join(folder, to)}'`,
        ...(writable ? [] : [`mount -o remount,bind,ro '${join(folder, to)}'`]),
      ]);
      const script = [
        'set -e',
        `mount -t proc proc '${folder}/proc'`,
        `mount --rbind /dev '${folder}/dev'`,
        ...mounts,
        `exec env -i "$@"`,
      ].join('\n');
      const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      const chroot = ['/usr/sbin/chroot', folder, ...command];
      const inside = ['sh', '-c', script, 'sh', ...settings, ...chroot];
      return (await execa('unshare', ['--mount', '--propagation', 'private', ...inside], { all: true })).all;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
