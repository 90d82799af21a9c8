/** Debian changelogs (deb-changelog(5)): what came between two versions, and how urgent its authors call it. */
import { compareVersions } from './debian-version.ts';

export interface ChangelogEntry {
  readonly source: string;
  readonly version: string;
  /** `trixie-security`, `unstable`, … */
  readonly distributions: readonly string[];
  /** Lower case; undefined where the entry states none that Debian knows. */
  readonly urgency: Urgency | undefined;
  /** Rebuilt without a change of the source (binNMU). */
  readonly binaryOnly: boolean;
  /** CVE ids named in it, in its order. */
  readonly cves: readonly string[];
}

/** From the least to the most urgent. */
const URGENCIES = ['low', 'medium', 'high', 'emergency', 'critical'] as const;
export type Urgency = (typeof URGENCIES)[number];

/** All entries, newest first as the file has them. Lines that belong to no entry are passed over. */
export function parseChangelog(text: string): ChangelogEntry[] {
  return [...entriesOf(text)];
}

export interface News {
  readonly entries: readonly ChangelogEntry[];
  /** False when the changelog counts versions otherwise than the package: then only its newest entry is told. */
  readonly comparable: boolean;
}

/** The entries newer than `before`. Reads no further than to the first that is not. */
export function newsSince(text: string, before: string, after: string): News {
  const entries: ChangelogEntry[] = [];
  for (const entry of entriesOf(text)) {
    if (entries.length === 0 && !entry.binaryOnly && !namesVersion(after, entry.version)) {
      return { entries: [entry], comparable: false };
    }
    if (compareVersions(entry.version, before) <= 0) break;
    entries.push(entry);
  }
  return { entries, comparable: true };
}

/** Signed packages add to it or spell it otherwise: shim-signed 1.51+16.1-2 has the entry 1.51, Linux 6.12.117-1 6.12.117+1. */
function namesVersion(ofPackage: string, ofEntry: string): boolean {
  return ofPackage.replaceAll('-', '+').startsWith(ofEntry.replaceAll('-', '+'));
}

export interface NewsSummary {
  readonly urgency: Urgency | undefined;
  /** A CVE is named, or it came through the security archive. */
  readonly security: boolean;
  readonly cves: readonly string[];
}

export function summarize(entries: readonly ChangelogEntry[]): NewsSummary {
  const cves = [...new Set(entries.flatMap((entry) => entry.cves))];
  const fromSecurity = entries.some((entry) => entry.distributions.some((name) => name.endsWith('-security')));
  const highest = Math.max(
    -1,
    ...entries.map(({ urgency }) => (urgency === undefined ? -1 : URGENCIES.indexOf(urgency))),
  );
  return { urgency: URGENCIES[highest], security: cves.length > 0 || fromSecurity, cves };
}

function* entriesOf(text: string): Generator<ChangelogEntry> {
  let heading: Omit<ChangelogEntry, 'cves'> | undefined;
  let cves = new Set<string>();
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
    const next = /^\S/.test(line) ? headingOf(line) : undefined;
    if (next !== undefined) {
      if (heading !== undefined) yield { ...heading, cves: [...cves] };
      [heading, cves] = [next, new Set()];
    }
    for (const [id] of line.matchAll(/\bCVE-\d{4}-\d{4,7}\b/g)) cves.add(id);
  }
  if (heading !== undefined) yield { ...heading, cves: [...cves] };
}

/** `source (version) distribution …; urgency=…, binary-only=yes` */
function headingOf(line: string): Omit<ChangelogEntry, 'cves'> | undefined {
  const match = /^([A-Za-z0-9][A-Za-z0-9+.-]*) \(([A-Za-z0-9.+:~-]+)\)([^;]*);(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, source = '', version = '', distributions = '', settings = ''] = match;
  const setting = (name: string) =>
    settings
      .split(',')
      .map((one) => one.split('='))
      .find(([key = '']) => key.trim().toLowerCase() === name)?.[1]
      ?.trim()
      .toLowerCase();
  const [urgency] = (setting('urgency') ?? '').split(/[^a-z]/);
  return {
    source,
    version,
    distributions: distributions.split(/\s+/).filter(Boolean),
    urgency: URGENCIES.find((one) => one === urgency),
    binaryOnly: setting('binary-only') === 'yes',
  };
}
