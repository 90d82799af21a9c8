/** Which release of the image a boot is, or comes nearest to. */
import type { ReferenceValues } from '../image/reference-values.ts';
import { type Change, differing } from './change.ts';
import { compare } from './compare.ts';
import { type Measurement, measurementsOfReference } from './measurement.ts';

export interface Release {
  readonly name: string;
  readonly values: ReferenceValues;
  /** Measurements that differ; 0: exactly this release. */
  readonly differences: number;
  /** The same of every release that was given, nearest first. */
  readonly all: readonly { readonly name: string; readonly differences: number }[];
}

const OWN_PCRS = [4, 8, 9, 14];

/** Null without reference values or measurements. */
export function nearestRelease(seen: readonly Measurement[], references: readonly ReferenceValues[]): Release | null {
  if (seen.length === 0) return null;
  const compared = references
    .map((values) => ({
      name: `${values.image.name} ${values.image.version}`,
      values,
      differences: differing(compare(measurementsOfReference(values), seen, OWN_PCRS)).length,
    }))
    .sort((a, b) => a.differences - b.differences);
  const [first] = compared;
  if (first === undefined) return null;
  return { ...first, all: compared.map(({ name, differences }) => ({ name, differences })) };
}

/** Two boots that are exactly two releases: an update of the image, whole and known. */
export function releaseChange(now: Release | null, earlier: Release | null): readonly Change[] {
  if (now === null || earlier === null || now.name === earlier.name) return [];
  if (now.differences > 0 || earlier.differences > 0) return [];
  return [
    {
      code: 'OTHER_RELEASE',
      sentence: `It runs ${now.name}; at the earlier boot it was ${earlier.name}. Both are known releases.`,
      remedy: 'Nothing to do, unless the release of now is the older one: then ask why it went back.',
      pairs: [],
    },
  ];
}
