/** `image/image.lock.json`: every .deb that the image or its build uses, by content. It names no mirror. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { CodedError } from '../src/shared/errors.ts';
import { type ImageSpec, imageSpecSha256 } from './image-spec.ts';

export class LockError extends CodedError<'LOCK_MISSING' | 'LOCK_INVALID' | 'LOCK_STALE'> {}

const strict = { additionalProperties: false } as const;
export const RELOCK = 'npx cpushare image lock';

/** `debian` and `debian-security` are the two archives of a Debian mirror. */
export const ArchiveId = Type.Union([Type.Literal('debian'), Type.Literal('debian-security')]);
export type ArchiveId = Static<typeof ArchiveId>;

export const LockedPackage = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9+.-]+$' }),
    version: Type.String({ pattern: '^[A-Za-z0-9.+:~-]+$' }),
    archive: ArchiveId,
    /** Relative to the archive's root. No segment starts with a dot, so that it stays below that root. */
    path: Type.String({ pattern: '^pool(/[A-Za-z0-9+~_:%-][A-Za-z0-9.+~_:%-]*)+\\.deb$' }),
    sizeBytes: Type.Integer({ minimum: 1, maximum: 1024 * 1024 * 1024 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Where it is used. */
    roles: Type.Array(
      Type.Union([Type.Literal('kernel'), Type.Literal('boot'), Type.Literal('root'), Type.Literal('tools')]),
      { minItems: 1 },
    ),
  },
  strict,
);
export type LockedPackage = Static<typeof LockedPackage>;
export type PackageRole = LockedPackage['roles'][number];

export const ImageLock = Type.Object(
  {
    format: Type.Literal('cpushare-image-lock'),
    version: Type.Literal(1),
    imageSpecSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** The newest date among the signed indexes below: every time stamp of the image. */
    sourceDateEpoch: Type.Integer({ minimum: 1 }),
    indexes: Type.Array(Type.Object({ archive: ArchiveId, suite: Type.String(), date: Type.String() }, strict)),
    packages: Type.Array(LockedPackage),
  },
  strict,
);
export type ImageLock = Static<typeof ImageLock>;

/** The lock, checked to belong to this declaration. @throws LockError */
export async function readLock(path: string, spec: ImageSpec, relock = RELOCK): Promise<ImageLock> {
  return parseLock(await readLockText(path, relock), spec, relock);
}

/** The lock as it is, be it of this declaration or an earlier one: to compare with, never to build from. @throws LockError */
export async function readAnyLock(path: string): Promise<ImageLock> {
  return parseAnyLock(await readLockText(path));
}

async function readLockText(path: string, relock = RELOCK): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LockError('LOCK_MISSING', `there is no lock file at ${path}`, { cause, nextStep: relock });
  });
}

export function parseLock(text: string, spec: ImageSpec, relock = RELOCK): ImageLock {
  const value = parseAnyLock(text);
  const expected = imageSpecSha256(spec);
  if (value.imageSpecSha256 !== expected) {
    throw new LockError(
      'LOCK_STALE',
      `the lock of ${spec.name} was made for another declaration (checksum ${value.imageSpecSha256.slice(0, 16)}…, ` +
        `now ${expected.slice(0, 16)}…)`,
      { nextStep: relock },
    );
  }
  return value;
}

function parseAnyLock(text: string): ImageLock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LockError('LOCK_INVALID', 'image.lock.json is not JSON', { cause, nextStep: RELOCK });
  }
  if (!Value.Check(ImageLock, value)) {
    const [first] = Value.Errors(ImageLock, value);
    const place = first === undefined ? '' : `: ${first.instancePath || '/'} ${first.message}`;
    throw new LockError('LOCK_INVALID', `image.lock.json is not a valid lock${place}`, { nextStep: RELOCK });
  }
  return value;
}

/** Sorted and one property per line, so that a diff shows what moved. */
export function formatLock(lock: ImageLock): string {
  const packages = [...lock.packages].sort((a, b) => (a.name < b.name ? -1 : 1));
  return `${JSON.stringify({ ...lock, packages }, null, 2)}\n`;
}

export async function writeLock(path: string, lock: ImageLock): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, formatLock(lock));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

export function packagesFor(lock: ImageLock, role: PackageRole): LockedPackage[] {
  return lock.packages.filter((one) => one.roles.includes(role));
}
