/** The sell client as one file for the image's own Node.js. The same sources give the same bytes wherever the checkout lies. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { build } from 'esbuild';
import { CodedError } from '../src/shared/errors.ts';
import type { Inputs } from './step-differences.ts';
import { type Artifact, sourceFile } from './steps.ts';

export class BundleError extends CodedError<'BUNDLE_FAILED'> {}

export interface BundleInput {
  /** src/sell-client/main.ts */
  readonly entry: string;
  readonly projectRoot: string;
  readonly output: string;
}

export interface Bundle extends Artifact {
  /** The checksum of each file in it, by its path in the checkout. */
  readonly sources: Inputs;
}

/** @throws BundleError BUNDLE_FAILED */
export async function bundleSellClient(input: BundleInput): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    entryPoints: [input.entry],
    outfile: input.output,
    write: false,
    metafile: true,
    absWorkingDir: input.projectRoot,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    conditions: ['source'],
    // Paths inside the bundle stay relative to the checkout, also where node_modules is a link to elsewhere.
    preserveSymlinks: true,
    // Bundled CommonJS packages ask for Node's own modules by require.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    legalComments: 'none',
    minifyWhitespace: true,
    logLevel: 'silent',
  }).catch((cause: unknown) => {
    throw new BundleError('BUNDLE_FAILED', `cannot bundle the sell client from ${input.entry}`, { cause });
  });
  const [bundled] = outputFiles;
  if (bundled === undefined) throw new BundleError('BUNDLE_FAILED', `${input.entry} gave no bundle`);
  await mkdir(dirname(input.output), { recursive: true });
  await writeFile(`${input.output}.part`, bundled.contents);
  await rename(`${input.output}.part`, input.output);
  const paths = Object.keys(metafile.inputs).sort();
  const sources = await Promise.all(
    paths.map(async (path) => [path, (await sourceFile(resolve(input.projectRoot, path))).sha256]),
  );
  return { ...(await sourceFile(input.output)), sources: Object.fromEntries(sources) as Inputs };
}
