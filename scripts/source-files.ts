/**
 * Which files of the checkout an image is made from, by content: the recipe (scripts/build.ts and all that it imports), the
 * sell client (what its bundle holds) and what is laid over the live root, the initrd and the ESP. The ISO carries this list, so whoever rebuilds it with another
 * checkout is told which files differ.
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { type Static, Type } from 'typebox';
import { sha256OfFile } from './fetch.ts';
import type { ImageSource } from './image-source.ts';
import { type NpmPart, npmPartsNamed, npmPartsOf, readNpmLock } from './npm-parts.ts';
import { projectRoot as recipeRoot } from './project.ts';

const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** `/.cpushare/source.json` */
export const SourceList = Type.Object(
  {
    format: Type.Literal('cpushare-source-files'),
    version: Type.Literal(1),
    /** Relative to the checkout. */
    files: Type.Record(Type.String(), sha256),
    /** npm packages that the recipe runs or that lie in the sell client, by name; their contents are package-lock.json's. */
    npm: Type.Record(Type.String(), Type.String()),
  },
  { additionalProperties: false },
);
export type SourceList = Static<typeof SourceList>;

export interface MadeFrom {
  readonly list: SourceList;
  readonly clientParts: readonly NpmPart[];
  readonly recipeParts: readonly NpmPart[];
}

/** @param clientFiles what bundleSellClient took, relative to `projectRoot` @throws NpmLockError */
export async function readSource(
  projectRoot: string,
  clientFiles: readonly string[],
  { image, overlays }: Pick<ImageSource, 'image' | 'overlays'>,
): Promise<MadeFrom> {
  const npmLock = await readNpmLock(recipeRoot);
  const recipe = await recipeFiles();
  const clientParts = npmPartsOf(clientFiles, npmLock);
  const recipeParts = npmPartsNamed(recipe.packages, npmLock);
  const own = clientFiles.map(ownPath).filter((path) => !path.includes('node_modules/'));
  const folders = [join(image, 'boot'), ...overlays];
  const laid = (await Promise.all(folders.map(filesBelow))).flat().map((path) => relative(projectRoot, path));
  const files = [...(await hashed(recipeRoot, recipe.files)), ...(await hashed(projectRoot, [...own, ...laid]))];
  return {
    list: {
      format: 'cpushare-source-files',
      version: 1,
      files: sorted(files),
      npm: sorted([...clientParts, ...recipeParts].map(({ name, version }) => [name, version])),
    },
    clientParts,
    recipeParts,
  };
}

export function sourceSha256(list: SourceList): string {
  return createHash('sha256').update(formatSource(list)).digest('hex');
}

export const formatSource = (list: SourceList): string => `${JSON.stringify(list, null, 1)}\n`;

/** Packages of this checkout are reached through node_modules, which links to them. */
const ownPath = (path: string) => path.replace(/^node_modules\/tpm2-ts\//, 'packages/tpm2-ts/');

async function recipeFiles(): Promise<{ files: string[]; packages: string[] }> {
  const { metafile } = await build({
    entryPoints: ['scripts/build.ts'],
    absWorkingDir: recipeRoot,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return { files: Object.keys(metafile.inputs), packages: packagesIn(metafile) };
}

function packagesIn({ inputs }: Metafile): string[] {
  const imports = Object.values(inputs).flatMap((input) => input.imports);
  const external = imports.filter((one) => one.external === true && !isBuiltin(one.path));
  return [...new Set(external.map(({ path }) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path))];
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

async function hashed(root: string, paths: readonly string[]): Promise<[string, string][]> {
  return Promise.all(
    paths.map(async (path): Promise<[string, string]> => [path, await sha256OfFile(join(root, path))]),
  );
}

function sorted<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
