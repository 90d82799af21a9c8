import { describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { logCommand } from './log.ts';
import { quickLogArguments } from './quick-log.ts';

const { printLogs } = vi.hoisted(() => ({ printLogs: vi.fn(() => 0) }));
vi.mock('./print-logs.ts', async (original) => ({ ...(await original<object>()), printLogs }));

/** What the whole program would have done. */
async function parsed(args: readonly string[]): Promise<unknown> {
  printLogs.mockClear();
  await yargs()
    .exitProcess(false)
    .command(logCommand)
    .parseAsync(['log', ...args]);
  const [files, options] = printLogs.mock.lastCall as unknown as [string[], object];
  return { files, ...options };
}

describe('attest log without the parser', () => {
  it.each([
    { args: ['a.bin'] },
    { args: ['a.bin', 'folder', '--json'] },
    { args: ['--json', 'a.bin'] },
    { args: ['--format', 'ccel', 'a.bin'] },
    { args: ['a.bin', '--format', 'pcr', '--json'] },
  ])('understands $args as the parser does', async ({ args }) => {
    expect(quickLogArguments(args)).toEqual(await parsed(args));
  });

  it.each(
    [
      [],
      ['--json'],
      ['--help'],
      ['a', '--help'],
      ['a', '--jsn'],
      ['a', '--format'],
      ['a', '--format', 'x'],
      ['--', 'a'],
      [''],
    ].map((args) => ({ args })),
  )('leaves $args to the parser', ({ args }) => expect(quickLogArguments(args)).toBeNull());
});
