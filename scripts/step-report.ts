/** What a build did, as a table: the time of each step that ran, `cached` for each that did not, and on request why. */
import { NEVER_BUILT } from './step-differences.ts';
import type { Result } from './steps.ts';

export type Reported = Pick<Result, 'name' | 'ran' | 'why' | 'seconds'>;

export function formatSteps(results: readonly Reported[], seconds: number): string {
  const rows = [...summarised(results), { name: 'all', time: seconds.toFixed(1) }];
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, time }) => `${name.padEnd(width)}  ${time.padStart(7)}`);
  return [`${'step'.padEnd(width)}  seconds`, ...lines].join('\n');
}

/** One block for each step that ran, with every reason; one line for those that did not. */
export function explainSteps(results: readonly Reported[]): string {
  const cached = results.filter(({ ran }) => !ran);
  const unchanged =
    cached.length === 0
      ? []
      : [
          `unchanged: ${summarised(cached)
            .map(({ name }) => name)
            .join(', ')}`,
        ];
  const ran = results.filter((one) => one.ran);
  const neverBuilt = ran.filter(isFirst);
  const first =
    neverBuilt.length === 0
      ? []
      : [
          `never built here: ${summarised(neverBuilt)
            .map(({ name }) => name)
            .join(', ')}`,
        ];
  const changed = ran
    .filter((one) => !isFirst(one))
    .flatMap(({ name, why }) => [`${shortName(name)} ran because`, ...why.map((line) => `  ${line}`)]);
  return [...unchanged, ...first, ...changed].join('\n');
}

const isFirst = ({ why }: Reported) => why[0] === NEVER_BUILT;

/** Packages are a hundred steps, and one row. */
function summarised(results: readonly Reported[]): { name: string; time: string }[] {
  const packages = results.filter(isPackage);
  const rows: { name: string; time: string }[] = [];
  for (const one of results) {
    if (!isPackage(one)) rows.push({ name: shortName(one.name), time: one.ran ? one.seconds.toFixed(1) : 'cached' });
    else if (one === packages[0]) rows.push(packageRow(packages));
  }
  return rows;
}

function packageRow(packages: readonly Reported[]): { name: string; time: string } {
  const ran = packages.filter((one) => one.ran);
  const words = packages.length === 1 ? '1 package' : `${packages.length} packages`;
  if (ran.length === 0) return { name: words, time: 'cached' };
  const name = ran.length === packages.length ? words : `${words}, ${ran.length} of them unpacked`;
  // Two at a time, so half of the sum.
  return { name, time: (ran.reduce((sum, one) => sum + one.seconds, 0) / 2).toFixed(1) };
}

const isPackage = ({ name }: Reported) => name.startsWith('package/');
/** `cpushare-seller/base` → `base`; a package keeps its folder. */
const shortName = (name: string) =>
  name.startsWith('package/') ? name.replace('/', ' ') : (name.split('/').at(-1) ?? name);
