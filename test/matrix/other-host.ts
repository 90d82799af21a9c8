/** Runs a build as another person on another computer at another time would: everything that must not matter is otherwise. */
import { chown, copyFile, lstat, mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

interface Finished {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** Both streams. */
  readonly all: string;
}

export interface Host {
  readonly checkout: string;
  readonly cache: string;
  /** Runs a program in the checkout; never throws for its exit status. */
  run(program: string, args: readonly string[]): Promise<Finished>;
}

export const NOBODY = 65_534;
const DAYS_AHEAD = 400;

export function usualHost(checkout: string, cache: string): Host {
  const env = { ...process.env, XDG_CACHE_HOME: cache, TZ: 'UTC', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
  return { checkout, cache, run: (program, args) => finished(program, args, { cwd: checkout, env, extendEnv: false }) };
}

/**
 * Another time zone, locale, umask, user, host name, count of processors and date. The date is that of libfaketime, put before
 * every dynamic program by /etc/ld.so.preload, so the build tools with their own loader and their own environment see it too.
 */
export async function otherHost(checkout: string, cache: string, scratch: string): Promise<Host> {
  const etc = join(scratch, 'etc');
  await mkdir(etc, { mode: 0o755 });
  await writeFile(join(etc, 'faketimerc'), `+${DAYS_AHEAD}d\n`, { mode: 0o644 });
  // Filled by the other user: libfaketime cannot share its memory from one user to the next.
  const preload = join(scratch, 'preload');
  await symlink(preload, join(etc, 'ld.so.preload'));
  const home = join(scratch, 'home');
  await mkdir(home);
  await chown(home, NOBODY, NOBODY);
  const asOther = `echo '${await libfaketime()}' > /etc/ld.so.preload; exec "$@"`;
  const prepare = [
    'set -e',
    'mount --make-rprivate /',
    // Two layers that are only read: /etc with our two files before it.
    `mount -t overlay overlay -o 'lowerdir=${etc}:/etc' /etc`,
    'hostname elsewhere.example',
    'umask 077',
    `exec taskset --cpu-list 0 setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups -- bash -c "$0" other "$@"`,
  ].join('\n');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    XDG_CACHE_HOME: cache,
    TZ: 'Pacific/Kiritimati',
    LANG: 'tr_TR.UTF-8',
    LC_ALL: 'tr_TR.UTF-8',
    LANGUAGE: 'tr',
  };
  return {
    checkout,
    cache,
    async run(program, args) {
      await writeFile(preload, '');
      await chown(preload, NOBODY, NOBODY);
      return finished('unshare', ['--mount', '--uts', '--', 'bash', '-c', prepare, asOther, program, ...args], {
        cwd: checkout,
        env,
        extendEnv: false,
      });
    },
  };
}

async function finished(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; extendEnv: false },
) {
  const { exitCode, stdout, all } = await execa(program, args, {
    ...options,
    all: true,
    reject: false,
    stdin: 'ignore',
  });
  return { exitCode, stdout, all };
}

async function libfaketime(): Promise<string> {
  const folder = '/usr/lib/x86_64-linux-gnu/faketime';
  const names = await readdir(folder).catch(() => {
    throw new Error(`${folder} is missing: sudo apt install libfaketime`);
  });
  const name = names.find((one) => one.startsWith('libfaketimeMT'));
  if (name === undefined) throw new Error(`no libfaketimeMT in ${folder}`);
  return join(folder, name);
}

/** What a program can see of its host, by the names of what is varied. */
export async function surroundings(host: Host): Promise<Record<string, string>> {
  const script = `console.log(JSON.stringify({
    'time zone': Intl.DateTimeFormat().resolvedOptions().timeZone, locale: process.env.LC_ALL,
    umask: process.umask().toString(8), user: String(process.getuid()), 'host name': os.hostname(),
    processors: String(os.availableParallelism()), folder: process.cwd(), day: new Date().toISOString().slice(0, 10) }))`;
  const { stdout } = await host.run('node', ['-e', script]);
  return JSON.parse(stdout) as Record<string, string>;
}

/** All of a checkout that a build needs, its files made in reverse order of their names; tmpfs lists the newest first. */
export async function copyCheckout(
  from: string,
  to: string,
  order: 'names' | 'reverse',
  owner?: number,
): Promise<void> {
  const parts = ['bin', 'image', 'node_modules', 'packages', 'scripts', 'src', 'dist/js'];
  const files = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.base.json'];
  await mkdir(join(to, 'dist'), { recursive: true });
  for (const folder of [to, join(to, 'dist')]) if (owner !== undefined) await chown(folder, owner, owner);
  for (const part of [...parts, ...files]) await copyTree(join(from, part), join(to, part), order, owner);
}

export async function copyTree(from: string, to: string, order: 'names' | 'reverse', owner?: number): Promise<void> {
  const found = await lstat(from);
  if (found.isSymbolicLink()) {
    await symlink(await readlink(from), to);
    return;
  }
  if (found.isDirectory()) {
    await mkdir(to);
    const names = (await readdir(from)).sort();
    if (order === 'reverse') names.reverse();
    for (const name of names) await copyTree(join(from, name), join(to, name), order, owner);
  } else await copyFile(from, to);
  if (owner !== undefined) await chown(to, owner, owner);
}
