/** Runs one verb of the command line in this process, as `main.ts` does, and says what it printed. */
import { vi } from 'vitest';
import yargs, { type CommandModule } from 'yargs';

export interface Ran {
  readonly output: string;
  readonly errors: string;
  readonly exitCode: unknown;
}

/** Rejects with what the verb throws, or with the parser's complaint. */
export async function runCommand(command: unknown, args: readonly string[]): Promise<Ran> {
  const [output, errors]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((line) => output.push(String(line))),
    vi.spyOn(console, 'error').mockImplementation((line) => errors.push(String(line))),
  ];
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await yargs([...args])
      .command(command as CommandModule)
      .strict()
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseAsync();
    return { output: output.join('\n'), errors: errors.join('\n'), exitCode: process.exitCode };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
