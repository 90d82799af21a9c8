/**
 * Which Debian mirrors to ask: those given, else the host's own apt sources. A mirror is the base URL of its `debian`
 * archive (the folder with `dists/` and `pool/`); its security archive is the same URL with the path segment `debian`
 * turned into `debian-security`, or the one given. It may be a folder, as `image mirror` makes one.
 */
import { access, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CodedError } from '../../src/shared/errors.ts';
import type { ArchiveId } from '../lock-file.ts';

export class MirrorError extends CodedError<'MIRROR_UNKNOWN' | 'MIRROR_INVALID'> {}

/** Base URLs in the order to try, without a slash at their end. */
export type Mirrors = Readonly<Record<ArchiveId, readonly string[]>>;

export interface MirrorOptions {
  readonly mirrors?: readonly string[];
  readonly securityMirrors?: readonly string[];
}

export async function chooseMirrors(options: MirrorOptions, aptFolder = '/etc/apt'): Promise<Mirrors> {
  if (options.mirrors !== undefined && options.mirrors.length > 0) return givenMirrors(options);
  const uris = await hostUris(aptFolder);
  const debian = uris.filter((uri) => lastSegment(uri) === 'debian');
  const security = uris.filter((uri) => lastSegment(uri) === 'debian-security');
  if (debian.length === 0) {
    throw new MirrorError('MIRROR_UNKNOWN', `no Debian mirror in the apt sources of this host (${aptFolder})`, {
      nextStep: 'name one: --mirror URL, the folder of a Debian mirror that holds dists/ and pool/',
    });
  }
  return { debian, 'debian-security': unique([...security, ...debian.map(securitySibling)]) };
}

async function givenMirrors(options: MirrorOptions): Promise<Mirrors> {
  const debian = unique(await Promise.all((options.mirrors ?? []).map(checked)));
  const given = await Promise.all((options.securityMirrors ?? []).map(checked));
  return { debian, 'debian-security': unique(given.length > 0 ? given : debian.map(securitySibling)) };
}

async function checked(text: string): Promise<string> {
  if (/^\.{0,2}\//.test(text) || text === '.' || text === '..') return archiveFolder(resolve(text), text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'file:' && url.host === '') return archiveFolder(fileURLToPath(url), text);
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new MirrorError('MIRROR_INVALID', `not an http, https or file URL and no folder: ${text}`);
  }
  return trimSlash(url.href);
}

/** The folder with `pool/`: the one given, or the folder `debian` in it. */
async function archiveFolder(path: string, given: string): Promise<string> {
  for (const folder of [path, join(path, 'debian')]) {
    const found = await access(join(folder, 'pool')).then(
      () => true,
      () => false,
    );
    if (found) return trimSlash(pathToFileURL(folder).href);
  }
  throw new MirrorError('MIRROR_INVALID', `there is no mirror in the folder ${given}: neither pool/ nor debian/pool/`, {
    nextStep: 'name a folder made with `npx cpushare image mirror FOLDER`',
  });
}

/** http://host/debian → http://host/debian-security; …/archive/debian/2026… → …/archive/debian-security/2026… */
export function securitySibling(mirror: string): string {
  const url = new URL(mirror);
  const segments = url.pathname.split('/');
  const index = segments.lastIndexOf('debian');
  if (index === -1) return `${mirror}-security`;
  segments[index] = 'debian-security';
  url.pathname = segments.join('/');
  return trimSlash(url.href);
}

async function hostUris(aptFolder: string): Promise<string[]> {
  const parts = join(aptFolder, 'sources.list.d');
  const names = await readdir(parts).catch(() => []);
  const files = [join(aptFolder, 'sources.list'), ...names.sort().map((name) => join(parts, name))];
  const uris: string[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (file.endsWith('.sources')) uris.push(...deb822Uris(text));
    else if (file.endsWith('.list')) uris.push(...oneLineUris(text));
  }
  return unique(uris.filter((uri) => /^https?:\/\//.test(uri)).map(trimSlash));
}

/** The URIs of enabled `deb` stanzas (sources.list(5), DEB822-STYLE FORMAT). */
export function deb822Uris(text: string): string[] {
  const live = text.replace(/^#.*\n?/gm, '');
  const uris: string[] = [];
  for (const stanza of live.split(/\n\s*\n/)) {
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t]+.*)*)`, 'im').exec(stanza)?.[1] ?? '';
    if (/\b(no|false|0)\b/i.test(field('Enabled'))) continue;
    if (!/(^|\s)deb(\s|$)/.test(field('Types'))) continue;
    uris.push(...field('URIs').split(/\s+/).filter(Boolean));
  }
  return uris;
}

/** The URIs of `deb` lines (sources.list(5), ONE-LINE-STYLE FORMAT). */
export function oneLineUris(text: string): string[] {
  return [...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)/gm)].map((match) => match[1] ?? '');
}

function lastSegment(uri: string): string {
  return trimSlash(uri).split('/').at(-1) ?? '';
}

function trimSlash(uri: string): string {
  return uri.replace(/\/+$/, '');
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}
