/** Package URLs: one name for a package that SBOM readers and vulnerability databases share. */
import { PackageURL } from 'packageurl-js';
import type { LockedPackage } from './lock-file.ts';
import type { NpmPart } from './npm-parts.ts';

export function debPurl(one: Pick<LockedPackage, 'name' | 'version' | 'path'>, suite: string): string {
  const arch = /_([a-z0-9-]+)\.deb$/.exec(one.path)?.[1] ?? 'amd64';
  return new PackageURL('deb', 'debian', one.name, one.version, { arch, distro: suite }, undefined).toString();
}

export function npmPurl({ name, version }: Pick<NpmPart, 'name' | 'version'>): string {
  const [, group, rest = name] = /^(?:(@[^/]+)\/)?(.+)$/.exec(name) ?? [];
  return new PackageURL('npm', group, rest, version, undefined, undefined).toString();
}
