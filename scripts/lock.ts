/** `image lock`: lets apt resolve the declaration in a private folder and writes down by content what it chose. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '../src/shared/errors.ts';
import type { Mirrors } from './apt/mirrors.ts';
import {
  type AptDownload,
  kernelBehind,
  type PackageRecord,
  parsePrintUris,
  parseRecords,
  releaseDate,
} from './apt/resolve.ts';
import { type Apt, prepareApt } from './apt/state.ts';
import { type ImageSpec, imageSpecSha256 } from './image-spec.ts';
import type { ArchiveId, ImageLock, LockedPackage, PackageRole } from './lock-file.ts';

export class ResolveError extends CodedError<'RESOLVE_INCOMPLETE' | 'INDEX_UNDATED'> {}

type Progress = (line: string) => void;

export async function resolveLock(spec: ImageSpec, mirrors: Mirrors, progress: Progress): Promise<ImageLock> {
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-apt-'));
  try {
    return await resolveIn(folder, spec, mirrors, progress);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function resolveIn(folder: string, spec: ImageSpec, mirrors: Mirrors, progress: Progress): Promise<ImageLock> {
  const [debian = '', security = ''] = [mirrors.debian[0], mirrors['debian-security'][0]];
  progress(`Reading the signed package indexes of ${spec.suite} from ${debian} and ${security}`);
  const apt = await prepareApt(folder, spec, { debian, security });
  await apt.run('apt-get', ['update', '-qq']);
  const indexes = await readIndexes(apt, spec);

  const chosen = await chooseDownloads(apt, spec);
  const records = await recordsOf(apt, [...chosen.keys()]);
  const packages = [...chosen].map(([, { download, roles }]) => lockedPackage(download, roles, records, mirrors));
  progress(`${packages.length} packages`);
  return {
    format: 'cpushare-image-lock',
    version: 1,
    imageSpecSha256: imageSpecSha256(spec),
    sourceDateEpoch: Math.max(...indexes.map((index) => index.epoch)),
    indexes: indexes.map(({ archive, suite, date }) => ({ archive, suite, date })),
    packages,
  };
}

interface Chosen {
  readonly download: AptDownload;
  readonly roles: readonly PackageRole[];
}

/** By `name=version`. */
async function chooseDownloads(apt: Apt, spec: ImageSpec): Promise<Map<string, Chosen>> {
  const { kernel, boot, root, tools, leaveOut } = spec.packages;
  const chosen = new Map<string, Chosen>();
  const add = (role: PackageRole, downloads: readonly AptDownload[]) => {
    for (const download of downloads) {
      if (leaveOut.includes(download.name)) continue;
      const key = `${download.name}=${download.version}`;
      chosen.set(key, { download, roles: [...(chosen.get(key)?.roles ?? []), role] });
    }
  };
  add('kernel', await alone(apt, [await exactKernel(apt, kernel)]));
  add('boot', await alone(apt, boot));
  add('root', await withDependencies(apt, root));
  add('tools', await withDependencies(apt, tools));
  return chosen;
}

async function alone(apt: Apt, names: readonly string[]): Promise<AptDownload[]> {
  return parsePrintUris(await apt.run('apt-get', ['download', '--print-uris', ...names]));
}

async function withDependencies(apt: Apt, names: readonly string[]): Promise<AptDownload[]> {
  return parsePrintUris(await apt.run('apt-get', ['install', '--yes', '--print-uris', ...names]));
}

async function exactKernel(apt: Apt, metapackage: string): Promise<string> {
  const [record] = parseRecords(await apt.run('apt-cache', ['show', '--no-all-versions', metapackage]));
  const name = record === undefined ? undefined : kernelBehind(record);
  if (name === undefined) {
    throw new ResolveError('RESOLVE_INCOMPLETE', `${metapackage} does not lead to exactly one linux-image package`);
  }
  return name;
}

async function recordsOf(apt: Apt, keys: readonly string[]): Promise<PackageRecord[]> {
  return parseRecords(await apt.run('apt-cache', ['show', ...keys]));
}

function lockedPackage(
  download: AptDownload,
  roles: readonly PackageRole[],
  records: readonly PackageRecord[],
  mirrors: Mirrors,
): LockedPackage {
  const archives: readonly ArchiveId[] = ['debian', 'debian-security'];
  // The longer base first: …/debian is no prefix of …/debian-security/ once the slash is added.
  const archive = archives.find((id) => mirrors[id].some((base) => download.uri.startsWith(`${base}/`)));
  const record = records.find(
    (one) =>
      one.name === download.name &&
      one.version === download.version &&
      decodeURIComponent(download.uri).endsWith(`/${one.path}`),
  );
  if (archive === undefined || record === undefined) {
    throw new ResolveError('RESOLVE_INCOMPLETE', `apt chose ${download.uri} but its indexes hold no record of it`);
  }
  const { name, version, path, sizeBytes, sha256 } = record;
  return { name, version, archive, path, sizeBytes, sha256, roles: [...roles] };
}

async function readIndexes(apt: Apt, spec: ImageSpec) {
  const wanted: readonly { archive: ArchiveId; suite: string }[] = [
    { archive: 'debian', suite: spec.suite },
    { archive: 'debian', suite: `${spec.suite}-updates` },
    { archive: 'debian-security', suite: `${spec.suite}-security` },
  ];
  const files = await readdir(apt.listsFolder);
  return Promise.all(
    wanted.map(async ({ archive, suite }) => {
      const file = files.find((name) => name.endsWith(`_dists_${suite}_InRelease`));
      const date = file === undefined ? undefined : releaseDate(await readFile(join(apt.listsFolder, file), 'utf8'));
      if (date === undefined) throw new ResolveError('INDEX_UNDATED', `the index of ${suite} states no date`);
      return { archive, suite, date: date.text, epoch: date.epoch };
    }),
  );
}
