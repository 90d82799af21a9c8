/** The sell client as one file for the image's own Node.js. The same sources give the same bytes wherever the checkout lies. */
import { build } from 'esbuild';
import { CodedError } from '../src/shared/errors.ts';

export class BundleError extends CodedError<'BUNDLE_FAILED'> {}

export interface BundleInput {
  /** src/sell-client/main.ts */
  readonly entry: string;
  readonly projectRoot: string;
  readonly output: string;
}

export interface SellClientBundle {
  readonly path: string;
  /** All that went in, relative to the checkout. */
  readonly files: readonly string[];
}

/** @throws BundleError BUNDLE_FAILED */
export async function bundleSellClient(input: BundleInput): Promise<SellClientBundle> {
  const { metafile } = await build({
    entryPoints: [input.entry],
    outfile: input.output,
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
    metafile: true,
    logLevel: 'silent',
  }).catch((cause: unknown) => {
    throw new BundleError('BUNDLE_FAILED', `cannot bundle the sell client from ${input.entry}`, { cause });
  });
  return { path: input.output, files: Object.keys(metafile.inputs) };
}
