/** The steps that say what the medium is: files about itself, the reference values, the provenance. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageSource } from './image-source.ts';
import type { ImageLock } from './lock-file.ts';
import { ABOUT_FILES, writeAboutFiles } from './medium-files.ts';
import { formatProvenance } from './provenance.ts';
import { computeReferenceValues } from './reference-values.ts';
import { type ImageSteps, readModules } from './root-layers.ts';
import { type MadeFrom, sourceSha256 } from './source-files.ts';
import { type Artifact, type Result, type Step, sourceFile } from './steps.ts';

/** What is known of an image before it is made. */
export interface Origin {
  readonly source: ImageSource;
  readonly lock: ImageLock;
  readonly lockFile: Artifact;
  readonly made: MadeFrom;
  readonly sellClient: Artifact;
  readonly projectVersion: string;
  /** By package name. */
  readonly packages: ReadonlyMap<string, Result>;
  readonly tools: Result;
}

const declaredIn = 'proof-steps.ts';

/** Makes the files of ABOUT_FILES. */
export function aboutStep({ spec }: ImageSteps, origin: Origin): Step {
  const { source, lock, lockFile, made, sellClient, projectVersion, packages, tools } = origin;
  const { list, clientParts, recipeParts } = made;
  const trees = [...packages].map(([name, { folder, sha256 }]) => [`package ${name}`, { path: folder, sha256 }]);
  return {
    name: `${spec.name}/about`,
    recipe: ['medium-files.ts'],
    declaredIn,
    files: {
      ...Object.fromEntries(trees),
      ...{ tools: { path: tools.folder, sha256: tools.sha256 }, lock: lockFile, 'sell client bundle': sellClient },
    },
    values: {
      declaration: JSON.stringify(spec),
      flavour: source.flavour ?? 'none',
      source: { files: list.files, npm: list.npm },
      npm: [...clientParts, ...recipeParts].map((part) => JSON.stringify(part)),
      projectVersion,
    },
    make: async (to) => {
      const treeOf = (name: string) => {
        const own = packages.get(name);
        return own === undefined ? join(tools.folder, 'root') : join(own.folder, 'tree');
      };
      await writeAboutFiles({ source, lock, made, sellClient: sellClient.path, treeOf, projectVersion }, to);
    },
  };
}

/** Each with its place on the volume. */
export function aboutFiles(about: Result): { readonly [inVolume: string]: Artifact } {
  return Object.fromEntries(Object.values(ABOUT_FILES).map((path) => [path, about.file(path.slice(1))]));
}

export type MeasuredFiles = Readonly<Record<'iso' | 'shim' | 'grub' | 'kernel' | 'grubConfig' | 'initrd', Artifact>>;

/** Makes reference-values.json. */
export async function referenceValuesStep(
  { spec }: ImageSteps,
  { lockFile }: Pick<Origin, 'lockFile'>,
  { modules, files }: { readonly modules: Result; readonly files: MeasuredFiles },
): Promise<Step> {
  const { name, version, debugShell = false } = spec;
  const { iso, shim, grub, kernel, grubConfig, initrd } = files;
  return {
    name: `${name}/reference-values`,
    recipe: ['reference-values.ts'],
    declaredIn,
    files: { ...files, lock: lockFile, 'kernel modules': await sourceFile(join(modules.folder, 'modules.json')) },
    values: { name, version, debug: String(debugShell) },
    make: async (to) => {
      const values = await computeReferenceValues({
        image: { name, version, ...(debugShell ? { debug: true } : {}) },
        lockSha256: lockFile.sha256,
        kernelModules: [...(await readModules(modules)).hashes],
        ...{ iso: iso.path, shim: shim.path, grub: grub.path, kernel: kernel.path },
        ...{ grubConfig: grubConfig.path, initrd: initrd.path },
      });
      await writeFile(join(to, 'reference-values.json'), `${JSON.stringify(values, null, 2)}\n`);
    },
  };
}

/** Makes provenance.json, whose subjects are the files that a build publishes, under their published names. */
export function provenanceStep(
  { spec }: ImageSteps,
  { source, lock, lockFile, made, projectVersion }: Origin,
  files: Readonly<Record<'iso' | 'sbom' | 'referenceValues', Artifact>>,
): Step {
  const { name, version, suite } = spec;
  const { iso, sbom, referenceValues } = source.outputs;
  const published = { [iso]: files.iso, [sbom]: files.sbom, [referenceValues]: files.referenceValues };
  const npmParts = [...made.clientParts, ...made.recipeParts];
  const sourceHash = sourceSha256(made.list);
  return {
    name: `${name}/provenance`,
    recipe: ['provenance.ts'],
    declaredIn,
    files: { ...published, lock: lockFile },
    values: {
      ...{ name, version, suite, source: sourceHash, projectVersion },
      npm: npmParts.map((part) => JSON.stringify(part)),
    },
    make: async (to) => {
      const subjects = Object.entries(published).map(([subject, { sha256 }]) => ({ name: subject, sha256 }));
      const known = { lock, lockSha256: lockFile.sha256, sourceSha256: sourceHash, projectVersion };
      const text = formatProvenance({ spec: { name, version, suite }, ...known, npmParts, subjects });
      await writeFile(join(to, 'provenance.json'), text);
    },
  };
}
