/** What `attest log` does: reads event logs and prints them. Free of the command line's parser, which takes longer to load. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { LogError } from '../../attest/event-log/little-endian.ts';
import { type EventLog, parseEventLog } from '../../attest/event-log/parse.ts';
import { renderEventLog, reportEventLog } from '../../attest/event-log/report.ts';
import { ALL_WORKAROUNDS } from '../../attest/event-log/workarounds.ts';
import { CodedError } from '../../shared/errors.ts';

export class LogFileError extends CodedError<'FILE_UNREADABLE' | 'FILE_TOO_LARGE'> {}

export interface PrintOptions {
  readonly json: boolean;
  /** `ccel`: the ACPI table of a confidential VM, whose registers are not a TPM's. */
  readonly format: LogFormat;
}

export const LOG_FORMATS = ['pcr', 'ccel'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** More than any log that can be read; the parser's own bound is lower. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/**
 * One file is printed alone, and an error in it is thrown. Several, or a folder: each under its name, or as one JSON line;
 * what is no event log is named with its code, and the rest goes on. Returns how many were refused.
 */
export function printLogs(paths: readonly string[], options: PrintOptions): number {
  const [only] = paths;
  if (only !== undefined && paths.length === 1 && !isFolder(only)) {
    const log = readLog(only, options.format);
    const { json } = options;
    console.log(json ? JSON.stringify(reportEventLog(log, nodeAttestCrypto)) : renderEventLog(log, nodeAttestCrypto));
    return 0;
  }
  let refused = 0;
  for (const file of paths.flatMap(filesBelow)) {
    try {
      const log = readLog(file, options.format);
      console.log(options.json ? jsonLine(file, log) : `==> ${file}\n${renderEventLog(log, nodeAttestCrypto)}\n`);
    } catch (error) {
      if (!(error instanceof LogError || error instanceof LogFileError)) throw error;
      refused += 1;
      const { code, message } = error;
      if (options.json) console.log(JSON.stringify({ file, refused: { code, message } }));
      else console.error(`refused ${file}: ${message} [${code}]`);
    }
  }
  return refused;
}

function jsonLine(file: string, log: EventLog): string {
  return JSON.stringify({ file, ...reportEventLog(log, nodeAttestCrypto) });
}

/** @throws LogError, LogFileError */
function readLog(path: string, format: LogFormat): EventLog {
  const registers = format === 'ccel' ? 'mr' : 'pcr';
  return parseEventLog(readBytes(path), { padding: 'allow', registers, workarounds: ALL_WORKAROUNDS });
}

/** A folder's files by name, those in its folders too; links are not followed. A file is itself. */
function filesBelow(path: string): readonly string[] {
  if (!isFolder(path)) return [path];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readBytes(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new LogFileError('FILE_UNREADABLE', `${path} cannot be read`, {
      cause,
      nextStep: 'check the path, and that the file may be read by you',
    });
  }
  if (bytes.length <= MAX_FILE_BYTES) return bytes;
  throw new LogFileError('FILE_TOO_LARGE', `${path} has ${bytes.length} bytes, at most ${MAX_FILE_BYTES} are read`);
}
