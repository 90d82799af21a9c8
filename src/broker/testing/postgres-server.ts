/** A throw-away PostgreSQL server for tests: own folder, own unix socket, no TCP, stopped and removed at the end. */
import { chmod, chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface PostgresServer {
  readonly url: string;
  stop(): Promise<void>;
}

const INSTALLED = '/usr/lib/postgresql';

/** The folder of the newest installed server's programs, or null. */
export async function findPostgres(): Promise<string | null> {
  const versions = await readdir(INSTALLED).catch((): string[] => []);
  const newest = versions
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => b - a)[0];
  if (newest === undefined) return null;
  const bin = join(INSTALLED, String(newest), 'bin');
  const programs = await readdir(bin).catch((): string[] => []);
  return programs.includes('initdb') && programs.includes('postgres') ? bin : null;
}

export async function startPostgres(bin: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-pg-'));
  const owner = await unprivilegedOwner();
  await chmod(folder, 0o700);
  if (owner !== null) await chown(folder, owner.uid, owner.gid);
  const as = { ...(owner ?? {}), cwd: folder, env: { LC_ALL: 'C' } };
  const data = join(folder, 'data');
  await execa(join(bin, 'initdb'), ['-D', data, '-U', 'cpushare', '-A', 'trust', '-E', 'UTF8', '--no-sync'], as);
  await execa(
    join(bin, 'pg_ctl'),
    ['-D', data, '-w', '-l', join(folder, 'log'), '-o', `-k ${folder} -c listen_addresses=''`, 'start'],
    { ...as, stdio: 'ignore' },
  );
  return {
    url: `postgres://cpushare@${encodeURIComponent(folder)}/postgres`,
    stop: async () => {
      await execa(join(bin, 'pg_ctl'), ['-D', data, '-w', '-m', 'immediate', 'stop'], as);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root; `nobody` owns the folder then. */
async function unprivilegedOwner(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
}
