/** The difference between two locks as a person reads it. Package names, versions and ids only: nothing of a stranger's prose. */
import type { News } from './changelog.ts';
import { summarize } from './changelog.ts';
import type { LockDifference, PackageChange, Sizes } from './difference.ts';
import type { LoaderNews, SourceNews, UpdateNews } from './news.ts';
import { pcrReasons } from './pcr-reasons.ts';

const MAX_CVES = 8;

export function formatUpdate(difference: LockDifference, news: UpdateNews): string {
  const { changes, sizes, specChanged } = difference;
  const measured = changes.filter((change) => change.measured);
  const tools = changes.filter((change) => !change.measured);
  return [
    ...(specChanged ? ['image.json is another than the lock was made for.', ''] : []),
    ...group('In the measured image', measured, sizes.measured),
    ...group('Build tools only', tools, sizes.tools),
    ...section('What is new, by source package', news.sources.map(formatSource)),
    ...section('SBAT levels', news.loaders.map(formatLoader)),
    ...section('Registers (PCR) that get new values', pcrReasons(difference, news.mokChanged).map(formatReason)),
  ]
    .join('\n')
    .trimEnd();
}

function group(title: string, changes: readonly PackageChange[], sizes: Sizes): string[] {
  const { beforeBytes, afterBytes } = sizes;
  const total = `${title}: ${mebibytes(beforeBytes)} → ${mebibytes(afterBytes)} MiB of packages (${signed(afterBytes - beforeBytes)} bytes)`;
  return [total, ...(changes.length === 0 ? ['  nothing changes'] : changes.map(formatChange)), ''];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines, ''];
}

function formatChange({ name, kind, before, after }: PackageChange): string {
  if (before === undefined) return `  added       ${name} ${after?.version} (${after?.sizeBytes} bytes)`;
  if (after === undefined) return `  removed     ${name} ${before.version} (${before.sizeBytes} bytes)`;
  const word = kind.padEnd(11);
  if (kind === 'moved') return `  ${word} ${name}: used for ${before.roles.join(', ')} → ${after.roles.join(', ')}`;
  const bytes = `${signed(after.sizeBytes - before.sizeBytes)} bytes`;
  if (kind === 'replaced') return `  ${word} ${name} ${after.version}: the same version with other content (${bytes})`;
  const renamed = before.name === after.name ? name : `${before.name} → ${after.name}`;
  return `  ${word} ${renamed} ${before.version} → ${after.version} (${bytes})`;
}

function formatSource({ source, news, change }: SourceNews): string {
  const where = change.measured ? '' : ' (build tools only)';
  return `  ${source}${where}: ${typeof news === 'string' ? `changelog unknown: ${news}` : formatNews(news)}`;
}

function formatNews({ entries, comparable }: News): string {
  if (entries.length === 0) return 'its changelog has no newer entry';
  const { urgency, security, cves } = summarize(entries);
  const ids = cves.slice(0, MAX_CVES).join(' ');
  const more = cves.length > MAX_CVES ? ` and ${cves.length - MAX_CVES} more` : '';
  const rebuilt = entries.every(({ binaryOnly }) => binaryOnly) ? 'rebuilt without a change of its source, ' : '';
  const counted = comparable ? '' : ', newest entry only: the source counts its versions otherwise';
  return `${security ? 'SECURITY, ' : ''}${rebuilt}urgency ${urgency ?? 'not stated'}${ids && `, ${ids}`}${more}${counted}`;
}

function formatLoader({ name, sbat }: LoaderNews): string {
  if (sbat === undefined) return `  ${name}: not known, one of its two files cannot be had or read`;
  return `  ${name}: ${sbat.length === 0 ? 'stay' : sbat.join(', ')}`;
}

const formatReason = ({ pcrs, why }: { pcrs: readonly number[]; why: string }) =>
  `  ${pcrs.length === 0 ? 'none' : pcrs.join(', ')}: ${why}`;

const signed = (bytes: number) => (bytes < 0 ? String(bytes) : `+${bytes}`);

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
