/** The broker command compiled from the source under test, so that a stale compile is never what a test runs. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from '../../../scripts/project.ts';

/** Installed packages stay outside, as does esbuild, which cannot be bundled; our own, tpm2-ts among them, are compiled in. */
const { dependencies } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

/** The path of a program that knows the verb `broker`; the caller removes it. */
export async function compileBrokerCommand(): Promise<string> {
  const outfile = join(projectRoot, `dist/test/broker-${process.pid}.mjs`);
  await mkdir(join(projectRoot, 'dist/test'), { recursive: true });
  await build({
    stdin: {
      contents: `
        import yargs from 'yargs';
        import { hideBin } from 'yargs/helpers';
        import { brokerCommand } from './src/cli/broker.ts';
        import { describeError } from './src/shared/errors.ts';
        try {
          await yargs(hideBin(process.argv)).command(brokerCommand).strict().exitProcess(false).fail((message, error) => { throw error ?? new Error(message); }).parseAsync();
        } catch (error) {
          console.error(describeError(error));
          process.exitCode = 2;
        }`,
      resolveDir: projectRoot,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['source'],
    external: [...Object.keys(dependencies), 'esbuild'],
    logLevel: 'error',
  });
  return outfile;
}
