/** What the new packages themselves tell: changelogs, and the SBAT levels and keys inside the boot loaders. */
import { gunzipSync } from 'node:zlib';
import { DebError } from '../ar.ts';
import { type DebFiles, readDebFiles } from '../deb-files.ts';
import { FetchError, type FetchOptions, fetchPackages } from '../fetch.ts';
import type { ImageLock, LockedPackage } from '../lock-file.ts';
import { PeError } from '../pe.ts';
import { mokVariables } from '../reference-values-mok.ts';
import { type News, newsSince } from './changelog.ts';
import { type LockDifference, type PackageChange, sourceOf } from './difference.ts';
import { type SbatLevels, sbatChanges, sbatLevels } from './sbat.ts';

export interface SourceNews {
  readonly source: string;
  /** An upgraded package of it. */
  readonly change: PackageChange;
  /** Why there is none, in words, where the changelog cannot be had. */
  readonly news: News | string;
}

export interface LoaderNews {
  readonly name: string;
  /** `shim 4 → 5`; empty when the levels stay. Undefined when one of the two files cannot be read. */
  readonly sbat: readonly string[] | undefined;
}

export interface UpdateNews {
  readonly sources: readonly SourceNews[];
  readonly loaders: readonly LoaderNews[];
  readonly mokChanged: boolean | undefined;
}

const LOADERS: Readonly<Record<string, string>> = {
  'shim-signed': 'usr/lib/shim/shimx64.efi.signed',
  'grub-efi-amd64-signed': 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed',
};

/** What cannot be downloaded or read is told as such; only a full disk ends it. @throws FetchError DISK_FULL */
export async function readNews(
  difference: LockDifference,
  after: ImageLock,
  options: FetchOptions,
): Promise<UpdateNews> {
  const upgraded = onePerSource(difference.changes.filter(({ kind }) => kind === 'upgraded'));
  const loaders = difference.changes.filter(({ name, before, after: now }) => LOADERS[name] && before && now);
  const wanted = [...upgraded.map((one) => one.after), ...loaders.flatMap((one) => [one.before, one.after])];
  // All at once, for speed; each alone tells below what failed.
  await fetchPackages(
    wanted.filter((one) => one !== undefined),
    options,
  ).catch(unlessDiskFull);
  const quiet = { cache: options.cache, mirrors: options.mirrors };
  const sources: SourceNews[] = [];
  for (const change of upgraded) {
    sources.push({ source: sourceOf(change.after), change, news: await newsOf(change, after, quiet) });
  }
  const files = new Map<string, { before: Buffer | undefined; after: Buffer | undefined }>();
  for (const { name, before, after: now } of loaders) {
    files.set(name, { before: await loaderOf(before, quiet), after: await loaderOf(now, quiet) });
  }
  const shim = files.get('shim-signed');
  return {
    sources,
    loaders: [...files].map(([name, pair]) => ({ name, sbat: sbatOf(pair) })),
    mokChanged: shim?.before && shim.after ? mokDiffers(shim.before, shim.after) : undefined,
  };
}

type Upgrade = PackageChange & { readonly before: LockedPackage; readonly after: LockedPackage };

function onePerSource(changes: readonly PackageChange[]): Upgrade[] {
  const bySource = new Map<string, Upgrade>();
  // Measured ones last, so that they stay.
  for (const change of [...changes].sort((a, b) => Number(a.measured) - Number(b.measured))) {
    const { before, after } = change;
    if (before !== undefined && after !== undefined) bySource.set(sourceOf(after), { ...change, before, after });
  }
  return [...bySource.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function newsOf({ before, after }: Upgrade, lock: ImageLock, options: FetchOptions): Promise<News | string> {
  try {
    const text = await changelogOf(after, lock, options);
    return text === undefined ? 'the package holds no changelog' : newsSince(text, before.version, after.version);
  } catch (error) {
    return reasonOf(error);
  }
}

async function changelogOf(one: LockedPackage, lock: ImageLock, options: FetchOptions): Promise<string | undefined> {
  const found = await filesOf(one, (path) => DOCUMENTED.test(path), options);
  const text = changelogIn(found, one.name);
  if (text !== undefined) return text;
  // Packages of one source share a folder: usr/share/doc/libatomic1 -> gcc-14-base.
  const owner = found.links.get(`usr/share/doc/${one.name}`);
  const other = lock.packages.find(({ name }) => name === owner);
  return other && changelogIn(await filesOf(other, (path) => DOCUMENTED.test(path), options), other.name);
}

const DOCUMENTED = /^usr\/share\/doc\/[^/]+\/changelog(\.[A-Za-z0-9]+)*\.gz$/;

/** A rebuild's own entry (changelog.Debian.amd64.gz) above the source's; `changelog.gz` is Debian's where Debian is upstream. */
function changelogIn({ files }: DebFiles, name: string): string | undefined {
  const read = (ending: string) => {
    const file = files.get(`usr/share/doc/${name}/changelog${ending}.gz`);
    return file && gunzipSync(file, { maxOutputLength: 128 * 1024 * 1024 }).toString('utf8');
  };
  const source = read('.Debian') ?? read('');
  const rebuilt = read('.Debian.amd64') ?? read('.amd64') ?? '';
  return source && (rebuilt === '' ? source : `${rebuilt}\n${source}`);
}

async function loaderOf(one: LockedPackage | undefined, options: FetchOptions): Promise<Buffer | undefined> {
  if (one === undefined) return undefined;
  try {
    const path = LOADERS[one.name] ?? '';
    return (await filesOf(one, (name) => name === path, options)).files.get(path);
  } catch (error) {
    reasonOf(error);
    return undefined;
  }
}

async function filesOf(one: LockedPackage, wanted: (path: string) => boolean, options: FetchOptions) {
  const debs = await fetchPackages([one], options);
  return readDebFiles(debs.get(one.sha256) ?? '', wanted);
}

function sbatOf({ before, after }: { before: Buffer | undefined; after: Buffer | undefined }) {
  const levels: (SbatLevels | undefined)[] = [before, after].map((file) => file && sbatLevels(file));
  const [old, now] = levels;
  return old && now && sbatChanges(old, now);
}

function mokDiffers(before: Buffer, after: Buffer): boolean | undefined {
  try {
    const [old, now] = [before, after].map((shim) => mokVariables(shim).map(({ content }) => Buffer.from(content)));
    return Buffer.compare(Buffer.concat(old ?? []), Buffer.concat(now ?? [])) !== 0;
  } catch (error) {
    if (error instanceof PeError) return undefined;
    throw error;
  }
}

function unlessDiskFull(error: unknown): void {
  if (!(error instanceof FetchError) || error.code === 'DISK_FULL') throw error;
}

function reasonOf(error: unknown): string {
  if (error instanceof DebError) return `it cannot be read (${error.code})`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE' || String(code).startsWith('Z_')) return 'it cannot be unpacked';
  unlessDiskFull(error);
  return `the package cannot be had (${String(code)})`;
}
