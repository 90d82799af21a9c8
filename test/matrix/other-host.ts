/** Runs a build as another person on another computer at another time would: everything that must not matter is otherwise. */
import { chown, copyFile, lstat, mkdir, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';

export const VARIATIONS = [
  ...(['time zone', 'locale', 'umask', 'user', 'host name', 'processors', 'day'] as const),
  ...(['working folder', 'order of folders'] as const),
] as const;
export type Variation = (typeof VARIATIONS)[number];

export interface Places {
  readonly disk: string;
  /** On a tmpfs, which lists the newest file first; disks list by a hash of the name. */
  readonly memory: string;
}

interface Finished {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** Both streams. */
  readonly all: string;
}

export interface Host {
  /** Holds `checkout`, `cache` and `out`; a program of this host sees it at `seenAt`. */
  readonly home: string;
  readonly seenAt: string;
  /** Runs a program in the checkout; never throws for its exit status. */
  run(program: string, args: readonly string[]): Promise<Finished>;
  remove(): Promise<void>;
}

/** All of this checkout that a build needs. */
const CHECKOUT = ['bin', 'image', 'node_modules', 'packages', 'scripts', 'src', 'dist/js'].concat([
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.base.json'],
]);
const NOBODY = 65_534;
const DAYS_AHEAD = 400;
let serial = 0;

/**
 * A host that differs from the usual one in `varied` and nothing else. A `full` one has a checkout and a package cache of its own.
 */
export async function makeHost(
  { disk, memory }: Places,
  varied: readonly Variation[],
  content: 'full' | 'empty' = 'full',
): Promise<Host> {
  const has = (one: Variation) => varied.includes(one);
  serial += 1;
  const home = join(has('order of folders') ? memory : disk, `home ${serial}`);
  const seenAt = join(disk, has('working folder') ? 'an other home' : 'home');
  const owner = has('user') ? NOBODY : 0;
  const order = has('order of folders') ? 'reverse' : 'names';
  for (const name of ['.', 'checkout', 'checkout/dist', 'cache', 'cache/cpushare', 'out']) {
    await mkdir(join(home, name));
    await chown(join(home, name), owner, owner);
  }
  if (content === 'full') {
    for (const part of CHECKOUT) await copyTree(join(projectRoot, part), join(home, 'checkout', part), order, owner);
    await copyTree(join(cacheFolder(), 'debs'), join(home, 'cache/cpushare/debs'), order, owner);
  }
  const clock = has('day') ? await shiftedClock(join(disk, `clock-${serial}`), owner) : undefined;
  const prepare = [
    'set -e',
    'mount --make-rprivate /',
    `mkdir -p '${seenAt}'`,
    `mount --bind '${home}' '${seenAt}'`,
    ...(clock?.mounts ?? []),
    ...(has('host name') ? ['hostname elsewhere.example'] : []),
    ...(has('umask') ? ['umask 077'] : ['umask 022']),
    `cd '${seenAt}/checkout'`,
    [
      'exec',
      ...(has('processors') ? ['taskset --cpu-list 0'] : []),
      ...(has('user') ? [`setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --`] : []),
      ...(clock === undefined ? [] : [`bash -c '${clock.begin}; exec "$@"' clock`]),
      '"$@"',
    ].join(' '),
  ].join('\n');
  const locale = has('locale') ? 'tr_TR.UTF-8' : 'C.UTF-8';
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: seenAt,
    XDG_CACHE_HOME: join(seenAt, 'cache'),
    TZ: has('time zone') ? 'Pacific/Kiritimati' : 'UTC',
    ...{ LANG: locale, LC_ALL: locale, LANGUAGE: locale.slice(0, 2) },
  };
  return {
    home,
    seenAt,
    async run(program, args) {
      await clock?.reset();
      const inside = ['--mount', '--uts', '--', 'bash', '-c', prepare, 'host', program, ...args];
      const options = { env, extendEnv: false, all: true, reject: false, stdin: 'ignore' } as const;
      const { exitCode, stdout, all } = await execa('unshare', inside, options);
      return { exitCode, stdout, all };
    },
    remove: () => rm(home, { recursive: true, force: true }),
  };
}

/**
 * A date that libfaketime tells, put before every dynamic program by /etc/ld.so.preload, so the build tools with their own loader
 * and their own environment see it too. What it shares between programs stays in a /dev/shm of its own.
 */
async function shiftedClock(scratch: string, owner: number) {
  const etc = join(scratch, 'etc');
  await mkdir(etc, { recursive: true, mode: 0o755 });
  await writeFile(join(etc, 'faketimerc'), `+${DAYS_AHEAD}d\n`, { mode: 0o644 });
  // Filled by the user of the build: libfaketime cannot share its memory from one user to the next.
  const preload = join(scratch, 'preload');
  await symlink(preload, join(etc, 'ld.so.preload'));
  return {
    mounts: [
      // Two layers that are only read: /etc with our two files before it.
      `mount -t overlay overlay -o 'lowerdir=${etc}:/etc' /etc`,
      'mount -t tmpfs -o mode=1777 tmpfs /dev/shm',
    ],
    begin: `echo "${await libfaketime()}" > /etc/ld.so.preload`,
    async reset() {
      await writeFile(preload, '');
      await chown(preload, owner, owner);
    },
  };
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
export async function surroundings(host: Host): Promise<Record<Exclude<Variation, 'order of folders'>, string>> {
  const script = `console.log(JSON.stringify({
    'time zone': Intl.DateTimeFormat().resolvedOptions().timeZone, locale: process.env.LC_ALL,
    umask: process.umask().toString(8), user: String(process.getuid()), 'host name': os.hostname(),
    processors: String(os.availableParallelism()), 'working folder': process.cwd(),
    day: new Date().toISOString().slice(0, 10) }))`;
  const { stdout, all } = await host.run('node', ['-e', script]);
  if (stdout === '') throw new Error(`the host cannot run Node.js: ${all}`);
  return JSON.parse(stdout) as Record<Exclude<Variation, 'order of folders'>, string>;
}

async function copyTree(from: string, to: string, order: 'names' | 'reverse', owner: number): Promise<void> {
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
  await chown(to, owner, owner);
}
