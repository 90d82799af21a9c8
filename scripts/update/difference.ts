/** What differs between two locks, package by package. */
import type { ImageLock, LockedPackage } from '../lock-file.ts';
import { compareVersions } from './debian-version.ts';

export type ChangeKind = 'added' | 'removed' | 'upgraded' | 'downgraded' | 'replaced' | 'moved';

export interface PackageChange {
  /** The new name, else the old. */
  readonly name: string;
  /** `replaced`: the same version with other bytes. `moved`: used in other places than before. */
  readonly kind: ChangeKind;
  /** What it brings runs or lies in the measured image; else only the build runs it. */
  readonly measured: boolean;
  readonly before?: LockedPackage;
  readonly after?: LockedPackage;
}

export interface Sizes {
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

export interface LockDifference {
  readonly changes: readonly PackageChange[];
  /** Of the .debs, packed. */
  readonly sizes: { readonly measured: Sizes; readonly tools: Sizes };
  /** image.json is another than the old lock was made for. */
  readonly specChanged: boolean;
  /** The date in every time stamp and in the medium's id. */
  readonly dateChanged: boolean;
}

export function differenceOf(before: ImageLock, after: ImageLock): LockDifference {
  return {
    changes: pairs(before.packages, after.packages)
      .flatMap(([old, now]) => changeOf(old, now))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    sizes: { measured: sizes(before, after, isMeasured), tools: sizes(before, after, (one) => !isMeasured(one)) },
    specChanged: before.imageSpecSha256 !== after.imageSpecSha256,
    dateChanged: before.sourceDateEpoch !== after.sourceDateEpoch,
  };
}

/** A lock made on another day with the same packages is no update. */
export function isUpdate({ changes, specChanged }: LockDifference): boolean {
  return changes.length > 0 || specChanged;
}

/** Of one source package as the pool's folders name it: `pool/main/o/openssl/…` is openssl. */
export function sourceOf(one: LockedPackage): string {
  return one.path.split('/').at(-2) ?? one.name;
}

type Pair = readonly [LockedPackage | undefined, LockedPackage | undefined];

function pairs(before: readonly LockedPackage[], after: readonly LockedPackage[]): Pair[] {
  const [old, now] = [new Map(before.map((one) => [keyOf(one), one])), new Map(after.map((one) => [keyOf(one), one]))];
  return [...new Set([...old.keys(), ...now.keys()])].map((key) => [old.get(key), now.get(key)]);
}

/** Each kernel is a package of another name (linux-image-6.12.1-amd64): they are one and the same thing here. */
const keyOf = (one: LockedPackage) => (one.roles.includes('kernel') ? 'kernel:' : one.name);

const isMeasured = (one: LockedPackage) => one.roles.some((role) => role !== 'tools');

function changeOf(before: LockedPackage | undefined, after: LockedPackage | undefined): PackageChange[] {
  const kind = kindOf(before, after);
  const name = after?.name ?? before?.name;
  if (kind === undefined || name === undefined) return [];
  const measured = [before, after].some((one) => one !== undefined && isMeasured(one));
  return [{ name, kind, measured, ...(before && { before }), ...(after && { after }) }];
}

function kindOf(before: LockedPackage | undefined, after: LockedPackage | undefined): ChangeKind | undefined {
  if (before === undefined) return 'added';
  if (after === undefined) return 'removed';
  const order = compareVersions(before.version, after.version);
  if (order !== 0) return order < 0 ? 'upgraded' : 'downgraded';
  if (before.sha256 !== after.sha256) return 'replaced';
  return [...before.roles].sort().join() === [...after.roles].sort().join() ? undefined : 'moved';
}

function sizes(before: ImageLock, after: ImageLock, wanted: (one: LockedPackage) => boolean): Sizes {
  const sum = (lock: ImageLock) => lock.packages.filter(wanted).reduce((bytes, one) => bytes + one.sizeBytes, 0);
  return { beforeBytes: sum(before), afterBytes: sum(after) };
}
