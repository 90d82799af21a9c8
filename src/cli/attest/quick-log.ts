/** The plain forms of `attest log`, read without the command line's parser: loading that takes longer than most logs. */
import { setFlagsFromString } from 'node:v8';
import { describeError } from '../../shared/errors.ts';
import { LOG_FORMATS, type LogFormat, type PrintOptions, printLogs } from './print-logs.ts';

/** Bytes of bytecode run before V8 optimizes a function: this program ends before most of that would pay. */
const LATE_OPTIMIZATION = '--interrupt-budget=400000';

export interface QuickLog extends PrintOptions {
  readonly files: readonly string[];
}

/** True when it was done; false leaves it to the parser. Exit codes as everywhere: 1 some refused, 2 could not be done. */
export function runQuickLog(args: readonly string[]): boolean {
  const quick = quickLogArguments(args);
  if (quick === null) return false;
  setFlagsFromString(LATE_OPTIMIZATION);
  try {
    if (printLogs(quick.files, quick) > 0) process.exitCode = 1;
  } catch (error) {
    console.error(describeError(error));
    process.exitCode = 2;
  }
  return true;
}

/** Null for anything but paths, `--json` and `--format FORMAT`: help and mistakes are the parser's business. */
export function quickLogArguments(args: readonly string[]): QuickLog | null {
  const files: string[] = [];
  let json = false;
  let format: LogFormat = 'pcr';
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--json') {
      json = true;
    } else if (arg === '--format') {
      index += 1;
      const named = LOG_FORMATS.find((each) => each === args[index]);
      if (named === undefined) return null;
      format = named;
    } else if (arg === '' || arg.startsWith('-')) {
      return null;
    } else {
      files.push(arg);
    }
  }
  return files.length === 0 ? null : { files, json, format };
}
