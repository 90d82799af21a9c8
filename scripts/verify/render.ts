/** What `image verify-build` tells a person. */
import type { Verification } from './verify-build.ts';

const SHOWN_SOURCES = 8;

export function renderVerification(found: Verification): string {
  const { about, differences } = found;
  const { image, date } = about.version;
  const head = [
    `Image:   ${image.name} ${image.version}, packages of ${date.slice(0, 10)}, ${about.lock.packages.length} in its lock`,
    `ISO:     ${found.sizeBytes} bytes, sha256 ${found.sha256}`,
  ];
  if (differences.length === 0) return [...head, '', 'SAME BYTES: this checkout builds exactly this ISO.'].join('\n');
  return [...head, ...sourceLines(found), '', ...differenceLines(found), '', nextStep(found)].join('\n');
}

function sourceLines({ sourceDifferences, about }: Verification): string[] {
  const all = Object.keys(about.source.files).length;
  if (sourceDifferences.length === 0) return [`Source:  the same ${all} files as here`];
  const shown = sourceDifferences.slice(0, SHOWN_SOURCES);
  const more = sourceDifferences.length - shown.length;
  return [
    `Source:  ${sourceDifferences.length} of ${all} differ here:`,
    ...shown.map((path) => `           ${path}`),
    ...(more > 0 ? [`           and ${more} more`] : []),
  ];
}

function differenceLines({ parts, differences, inside }: Verification): string[] {
  const [first, ...later] = differences;
  if (first === undefined) return [];
  const boots = parts.filter(({ name }) => !differences.some((one) => one.name === name)).map(({ name }) => name);
  return [
    `DIFFERENT. The first component that differs: ${first.name}`,
    `  in the ISO:  ${hashOf(first.given)}`,
    `  built here:  ${hashOf(first.built)}`,
    ...(inside === undefined
      ? []
      : [
          `  in it, ${inside.count === 1 ? 'one path differs' : `${inside.count} paths differ, the first`}: ${inside.path}`,
          `    in the ISO:  ${inside.given}`,
          `    built here:  ${inside.built}`,
        ]),
    ...(later.length === 0 ? [] : [`Also: ${later.map(({ name }) => name).join(', ')}`]),
    ...(boots.length === 0 ? [] : [`Equal: ${boots.join(', ')}`]),
  ];
}

const hashOf = (sha256: string | undefined) => (sha256 === undefined ? 'not there' : `sha256 ${sha256}`);

function nextStep({ sourceDifferences, about, builtIso }: Verification): string {
  if (sourceDifferences.length > 0) {
    const { version } = about.version.image;
    return `Next step: check out the source of release ${version} (its source list has sha256 ${about.version.sourceSha256}) and run this again`;
  }
  return (
    'Next step: the source is the same, so the ISO was changed after its build or the build is not reproducible here; ' +
    `compare with the ISO built here, ${builtIso} (--folder keeps it), and tell us`
  );
}
