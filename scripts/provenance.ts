/**
 * How an image came to be: an in-toto Statement v1 with a SLSA Provenance v1 predicate. It holds what the build knew and
 * nothing of the host that ran it, so every rebuild writes the same statement. Unsigned: it says what to repeat, and whoever
 * repeats it need not believe anybody.
 */
import type { ImageSpec } from './image-spec.ts';
import type { ImageLock } from './lock-file.ts';
import type { NpmPart } from './npm-parts.ts';
import { debPurl, npmPurl } from './purl.ts';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'https://slsa.dev/provenance/v1';
/** docs/reproducing.md says what its parameters mean. */
export const BUILD_TYPE = 'urn:cpushare:image-build:v1';
/** Whatever host ran the recipe: nothing of it goes into the result, so none is named. */
export const BUILDER_ID = 'urn:cpushare:image-builder:any-host';

export interface Subject {
  readonly name: string;
  readonly sha256: string;
}

export interface ProvenanceInput {
  readonly spec: Pick<ImageSpec, 'name' | 'version' | 'suite'>;
  readonly lock: ImageLock;
  readonly lockSha256: string;
  readonly sourceSha256: string;
  readonly npmParts: readonly NpmPart[];
  readonly projectVersion: string;
  readonly subjects: readonly Subject[];
}

export function formatProvenance(input: ProvenanceInput): string {
  return `${JSON.stringify(statement(input), null, 1)}\n`;
}

function statement(input: ProvenanceInput) {
  const { spec, lock } = input;
  return {
    _type: STATEMENT_TYPE,
    subject: input.subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: PREDICATE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { image: { name: spec.name, version: spec.version, suite: spec.suite } },
        internalParameters: { sourceDateEpoch: lock.sourceDateEpoch, imageSpecSha256: lock.imageSpecSha256 },
        resolvedDependencies: dependencies(input),
      },
      runDetails: { builder: { id: BUILDER_ID, version: { 'cpushare-live': input.projectVersion } } },
    },
  };
}

function dependencies({ spec, lock, lockSha256, sourceSha256, npmParts }: ProvenanceInput) {
  const npm = new Map(npmParts.map((part) => [npmPurl(part), part]));
  return [
    { name: 'image.lock.json', digest: { sha256: lockSha256 } },
    { name: 'source.json', digest: { sha256: sourceSha256 } },
    ...lock.packages
      .map((one) => ({
        uri: debPurl(one, spec.suite),
        digest: { sha256: one.sha256 },
        annotations: { archive: one.archive, path: one.path, roles: one.roles },
      }))
      .sort(byUri),
    ...[...npm]
      // Those of this checkout are among the files of source.json.
      .flatMap(([uri, { sha512 }]) => (sha512 === undefined ? [] : [{ uri, digest: { sha512 } }]))
      .sort(byUri),
  ];
}

const byUri = (a: { readonly uri: string }, b: { readonly uri: string }) => (a.uri < b.uri ? -1 : 1);
