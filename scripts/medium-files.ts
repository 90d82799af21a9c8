/**
 * What the medium tells about itself, in files beside the boot path: nothing reads them at boot and no register holds them.
 * With them and a checkout anyone can build the same medium again (`image verify-build`).
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { packageLicences } from './deb-licences.ts';
import { sha256OfFile } from './fetch.ts';
import type { ImageSource } from './image-source.ts';
import type { ImageLock } from './lock-file.ts';
import { formatSbom } from './sbom.ts';
import { formatSource, type MadeFrom, sourceSha256 } from './source-files.ts';

/** Folder of the ISO 9660 volume. */
export const ABOUT_FOLDER = '/.cpushare';
export const ABOUT_FILES = {
  version: `${ABOUT_FOLDER}/version.json`,
  spec: `${ABOUT_FOLDER}/image.json`,
  lock: `${ABOUT_FOLDER}/image.lock.json`,
  source: `${ABOUT_FOLDER}/source.json`,
  sbom: `${ABOUT_FOLDER}/sbom.cdx.json`,
} as const;

const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** `/.cpushare/version.json`: which image this is, and from which source. */
export const ImageVersion = Type.Object(
  {
    format: Type.Literal('cpushare-image-version'),
    version: Type.Literal(1),
    image: Type.Object({ name: Type.String(), version: Type.String() }, { additionalProperties: false }),
    /** image/flavours/FLAVOUR.json; absent for the default image. */
    flavour: Type.Optional(Type.String({ pattern: '^[a-z0-9]+$' })),
    /** ISO 8601, that of the lock. */
    date: Type.String(),
    lockSha256: sha256,
    sourceSha256: sha256,
  },
  { additionalProperties: false },
);
export type ImageVersion = Static<typeof ImageVersion>;

export interface AboutInput {
  readonly source: ImageSource;
  readonly lock: ImageLock;
  readonly made: MadeFrom;
  readonly sellClient: string;
  /** The folder that a package was unpacked to. */
  readonly treeOf: (name: string) => string | undefined;
  readonly projectVersion: string;
}

/** Writes them below `output` and returns each with its place on the volume. */
export async function writeAboutFiles(
  input: AboutInput,
  output: string,
): Promise<[inVolume: string, onDisk: string][]> {
  const { lock, made } = input;
  const { spec, flavour, lockPath } = input.source;
  const lockText = await readFile(lockPath, 'utf8');
  const version: ImageVersion = {
    format: 'cpushare-image-version',
    version: 1,
    image: { name: spec.name, version: spec.version },
    ...(flavour === undefined ? {} : { flavour }),
    date: new Date(lock.sourceDateEpoch * 1000).toISOString(),
    lockSha256: createHash('sha256').update(lockText).digest('hex'),
    sourceSha256: sourceSha256(made.list),
  };
  const texts: [string, string][] = [
    [ABOUT_FILES.version, `${JSON.stringify(version, null, 1)}\n`],
    [ABOUT_FILES.spec, `${JSON.stringify(spec, null, 1)}\n`],
    [ABOUT_FILES.lock, lockText],
    [ABOUT_FILES.source, formatSource(made.list)],
    [ABOUT_FILES.sbom, await sbomText(input)],
  ];
  await mkdir(join(output, ABOUT_FOLDER), { recursive: true });
  for (const [path, text] of texts) await writeFile(join(output, path), text);
  return texts.map(([path]) => [path, join(output, path)]);
}

async function sbomText(input: AboutInput): Promise<string> {
  const { lock, made, treeOf, projectVersion } = input;
  const licences = await Promise.all(
    lock.packages.map(async ({ name }) => [name, await packageLicences(name, treeOf)] as const),
  );
  return formatSbom({
    spec: input.source.spec,
    lock,
    licences: new Map(licences),
    client: { version: projectVersion, sha256: await sha256OfFile(input.sellClient), parts: made.clientParts },
    recipe: { version: projectVersion, parts: made.recipeParts },
    sourceSha256: sourceSha256(made.list),
  });
}
