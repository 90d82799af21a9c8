/** What `cpushare attest verify --json` says, from the sources under test. */
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import yargs from 'yargs';
import { attestCommand } from '../../src/cli/attest.ts';
import { fixturePath } from '../fixtures/load.ts';

const file = (name: string): string => fileURLToPath(fixturePath('p256', name));

/** The verdict on `report` with nonce, reference values and authorities of the recording. */
export async function commandLineVerdict(report: string, options: readonly string[]): Promise<unknown> {
  const given = [
    '--reference',
    file('reference-values.json'),
    '--trust',
    file('trust.pem'),
    '--nonce',
    `@${file('nonce')}`,
  ];
  const print = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await yargs()
      .exitProcess(false)
      .command(attestCommand)
      .parseAsync(['attest', 'verify', report, ...given, ...options, '--json']);
    return JSON.parse(String(print.mock.calls[0]?.[0]));
  } finally {
    print.mockRestore();
    process.exitCode = 0;
  }
}
