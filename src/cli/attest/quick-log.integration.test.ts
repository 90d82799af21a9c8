/** The bundle that `bin/cpushare.js` starts says what the program says, to the byte and the exit code. */
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../scripts/project.ts';
import { bundleQuickLog } from '../../../scripts/quick-log-bundle.ts';

const inProject = (path: string): string => join(projectRoot, path);
const logs = inProject('test/fixtures/logs');

async function run(script: string, args: readonly string[]) {
  const { stdout, stderr, exitCode } = await execa(process.execPath, [inProject(script), 'attest', 'log', ...args], {
    reject: false,
  });
  return { stdout, stderr, exitCode };
}

describe('attest log, bundled', () => {
  it.each([
    { name: 'a log', args: [join(logs, 'ovmf-three-banks.bin')] },
    { name: 'a log as JSON', args: ['--json', join(logs, 'seabios-tpm12.bin')] },
    { name: 'a folder with other files', args: [logs] },
    { name: 'a file that is no log', args: [inProject('README.md')] },
    { name: 'a file that is not there', args: [join(logs, 'none.bin')] },
    { name: 'an option it does not know', args: ['--yaml', join(logs, 'seabios-tpm12.bin')] },
    { name: 'nothing', args: [] },
  ])('$name', { timeout: 60_000 }, async ({ args }) => {
    await bundleQuickLog();
    const bundled = await run('bin/cpushare.js', args);
    expect(bundled).toEqual(await run('dist/js/src/cli/start.js', args));
    expect(bundled.stdout.length + bundled.stderr.length).toBeGreaterThan(0);
  });
});
