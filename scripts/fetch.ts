/**
 * Downloads what the lock names into a content-addressed cache: several at a time, resumed where a transfer broke off,
 * hashed while it streams, and named as complete only when size and sha256 are right. A cached file is hashed again each
 * time it is used.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CodedError } from '../src/shared/errors.ts';
import type { Mirrors } from './apt/mirrors.ts';
import { fetchFrom } from './local-mirror.ts';
import { type LockedPackage, RELOCK } from './lock-file.ts';

export class FetchError extends CodedError<'PACKAGE_DROPPED' | 'PACKAGE_CORRUPT' | 'MIRROR_FAILED' | 'DISK_FULL'> {}

export interface FetchProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface FetchOptions {
  readonly cache: string;
  readonly mirrors: () => Promise<Mirrors>;
  readonly progress?: (state: FetchProgress) => void;
  /** Simultaneous transfers. */
  readonly parallel?: number;
}

const ATTEMPTS_PER_MIRROR = 3;
/** A transfer that brings nothing for this long is given up and resumed. */
const STALL_MS = 30_000;

/** Paths of the verified files by sha256. The mirrors are asked for only when something is missing. @throws FetchError */
export async function fetchPackages(
  packages: readonly LockedPackage[],
  options: FetchOptions,
): Promise<Map<string, string>> {
  const folder = join(options.cache, 'debs/sha256');
  await mkdir(folder, { recursive: true }).catch(refuseFullDisk);
  const totalBytes = packages.reduce((sum, one) => sum + one.sizeBytes, 0);
  let doneBytes = 0;
  const advance = (bytes: number) => {
    doneBytes += bytes;
    options.progress?.({ doneBytes, totalBytes });
  };
  const paths = new Map<string, string>();
  const queue = packages.values();
  const worker = async () => {
    for (const one of queue) {
      const path = join(folder, `${one.sha256}.deb`);
      const cached = await judgeCached(path, one);
      if (cached === 'intact') advance(one.sizeBytes);
      else await download(one, path, await options.mirrors(), advance, cached);
      paths.set(one.sha256, path);
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: options.parallel ?? 4 }, worker));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return paths;
}

type Cached = 'intact' | 'absent' | 'corrupt';

/** A cached file with other bytes than the lock says is taken away, so that it is fetched again and never used. */
async function judgeCached(path: string, one: LockedPackage): Promise<Cached> {
  const size = await sizeOf(path);
  if (size === undefined) return 'absent';
  if (size === one.sizeBytes && (await sha256OfFile(path)) === one.sha256) return 'intact';
  await rm(path, { force: true });
  return 'corrupt';
}

async function download(
  one: LockedPackage,
  path: string,
  mirrors: Mirrors,
  advance: (bytes: number) => void,
  cached: Cached,
): Promise<void> {
  const failures: Error[] = [];
  for (const base of mirrors[one.archive]) {
    for (let attempt = 1; attempt <= ATTEMPTS_PER_MIRROR; attempt += 1) {
      let counted = 0;
      const count = (bytes: number) => {
        counted += bytes;
        advance(bytes);
      };
      try {
        await transfer(urlOf(base, one), path, one, count);
        return;
      } catch (error) {
        advance(-counted);
        refuseFullDisk(error);
        failures.push(error instanceof Error ? error : new Error(String(error)));
        if (error instanceof MissingError) break;
      }
    }
  }
  throw giveUp(one, failures, cached);
}

/** The mirror answered that it has no such file: the next mirror is asked, not this one again. */
class MissingError extends Error {
  readonly kind = 'missing';
}
class ContentError extends Error {
  readonly kind = 'content';
}

async function transfer(url: string, path: string, one: LockedPackage, count: (bytes: number) => void): Promise<void> {
  const part = `${path}.part`;
  const have = (await sizeOf(part)) ?? 0;
  const resume = have > 0 && have < one.sizeBytes;
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), STALL_MS);
  try {
    const response = await fetchFrom(url, {
      headers: resume ? { range: `bytes=${have}-` } : {},
      signal: stall.signal,
      redirect: 'follow',
    });
    if (response.status === 404 || response.status === 410) throw new MissingError(`${url}: ${response.status}`);
    if (!response.ok || response.body === null) throw new Error(`${url}: HTTP status ${response.status}`);
    const appended = resume && response.status === 206;
    const hash = createHash('sha256');
    if (appended) {
      await hashInto(hash, part);
      count(have);
    }
    let size = appended ? have : 0;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        clearTimeout(timer);
        timer = setTimeout(() => stall.abort(), STALL_MS);
        size += chunk.length;
        hash.update(chunk);
        count(chunk.length);
        done(
          size > one.sizeBytes ? new ContentError(`${url}: longer than the ${one.sizeBytes} bytes of the lock`) : null,
          chunk,
        );
      },
    });
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(part, { flags: appended ? 'a' : 'w' }));
    if (size < one.sizeBytes) throw new Error(`${url}: broke off after ${size} of ${one.sizeBytes} bytes`);
    const digest = hash.digest('hex');
    if (digest !== one.sha256) throw new ContentError(`${url}: sha256 is ${digest}, the lock says ${one.sha256}`);
    await rename(part, path);
  } catch (error) {
    if (error instanceof ContentError) await rm(part, { force: true });
    if (stall.signal.aborted) throw new Error(`${url}: no data for ${STALL_MS / 1000} s`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function urlOf(base: string, one: LockedPackage): string {
  return `${base}/${one.path.split('/').map(encodeURIComponent).join('/')}`;
}

function giveUp(one: LockedPackage, failures: readonly Error[], cached: Cached): FetchError {
  const damaged = cached === 'corrupt' ? ' (the cached copy was damaged and is taken away)' : '';
  const what = `${one.name} ${one.version}${damaged}`;
  const cause = failures.at(-1);
  if (failures.every((error) => error instanceof MissingError)) {
    return new FetchError('PACKAGE_DROPPED', `no mirror has ${what} any more (${one.archive} ${one.path})`, {
      cause,
      nextStep: `take the current versions with \`${RELOCK}\`, or name a mirror that keeps old ones: --mirror URL`,
    });
  }
  if (failures.some((error) => error instanceof ContentError)) {
    return new FetchError('PACKAGE_CORRUPT', `every mirror answers with other bytes than the lock says for ${what}`, {
      cause,
      nextStep: 'try another mirror with --mirror URL; if they all agree, do not trust this lock',
    });
  }
  return new FetchError('MIRROR_FAILED', `cannot download ${what}`, {
    cause,
    nextStep:
      'check the network, or name another mirror with --mirror URL, then run the same command again: it resumes',
  });
}

/** Rethrows only a full disk, as one clear error. */
export function refuseFullDisk(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    throw new FetchError('DISK_FULL', 'no space left on the disk', {
      cause: error,
      nextStep: 'free some space (a build needs about 2 GiB), then run the same command again: it resumes',
    });
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await hashInto(hash, path);
  return hash.digest('hex');
}

async function hashInto(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.size,
    () => undefined,
  );
}
