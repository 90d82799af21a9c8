/**
 * `attest log` as one CommonJS file beside the compiled sources, which `bin/cpushare.js` starts when it is not older than
 * they are: loading forty small modules takes longer than reading fifty logs.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { projectRoot } from './project.ts';

export async function bundleQuickLog(): Promise<void> {
  await build({
    entryPoints: [join(projectRoot, 'src/cli/attest/quick-log.ts')],
    outfile: join(projectRoot, 'dist/js/attest-log.cjs'),
    absWorkingDir: projectRoot,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    conditions: ['source'],
    legalComments: 'none',
    logLevel: 'error',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleQuickLog();
