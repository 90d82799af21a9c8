/** Child processes of a run: started without a shell, remembered, and ended by pid, so that nothing outlives us. */
import { once } from 'node:events';
import { execa } from 'execa';
import { CodedError } from '../../src/shared/errors.ts';

export class ChildError extends CodedError<'PROGRAM_MISSING' | 'PROGRAM_FAILED'> {}

export interface Child {
  readonly pid: number;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ExitReport>;
  /** True until the process has ended. */
  isRunning(): boolean;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export interface ExitReport {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Last part of standard error, for messages. */
  readonly stderr: string;
}

/** What execa's result and ours have in common. */
interface Ended {
  readonly stderr: unknown;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line of standard output. */
  readonly onLine?: (line: string) => void;
  /** The program draws on our terminal; keys stay ours. */
  readonly terminal?: boolean;
  /** What to install when the program is not there. */
  readonly debianPackage: string;
}

/**
 * Starts a program that runs beside us.
 * @throws ChildError PROGRAM_MISSING when there is no such program
 */
export async function startChild(program: string, args: readonly string[], options: ChildOptions): Promise<Child> {
  const process_ = execa(program, args, {
    stdin: 'ignore',
    ...(options.terminal ? ({ stdout: 'inherit' } as const) : {}),
    buffer: { stdout: false, stderr: true },
    maxBuffer: 1024 * 1024,
    reject: false,
    cleanup: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  let running = true;
  const exited = report(process_).finally(() => {
    running = false;
  });
  const { pid } = process_;
  if (pid === undefined) {
    const ended = await process_;
    throw new ChildError('PROGRAM_MISSING', `cannot start ${program}`, {
      cause: ended.cause ?? ended,
      nextStep: `sudo apt install ${options.debianPackage}`,
    });
  }
  if (options.onLine === undefined) process_.stdout?.resume();
  else if (process_.stdout) void forwardLines(process_.stdout, options.onLine);
  return {
    pid,
    exited,
    isRunning: () => running,
    stop: async (graceMs = 5000) => {
      if (!running) return;
      process_.kill('SIGTERM');
      const timer = setTimeout(() => process_.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function report(ending: PromiseLike<Ended>): Promise<ExitReport> {
  const ended = await ending;
  const stderr = typeof ended.stderr === 'string' ? ended.stderr.slice(-2000) : '';
  return { exitCode: ended.exitCode ?? null, signal: ended.signal ?? null, stderr };
}

async function forwardLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  await once(stream, 'end').catch(() => undefined);
  if (rest !== '') onLine(rest);
}

/** Runs a program to its end. @throws ChildError with what it printed on standard error */
export async function runProgram(program: string, args: readonly string[], options: ChildOptions): Promise<string> {
  const ended = await execa(program, args, {
    stdin: 'ignore',
    reject: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  if (ended.code === 'ENOENT') {
    throw new ChildError('PROGRAM_MISSING', `cannot start ${program}: it is not installed`, {
      nextStep: `sudo apt install ${options.debianPackage}`,
    });
  }
  if (ended.exitCode !== 0) {
    throw new ChildError(
      'PROGRAM_FAILED',
      `${program} ended with ${ended.exitCode ?? ended.signal}: ${ended.stderr.slice(-1000)}`,
      {
        cause: ended.cause,
        nextStep: `run it by hand to see more: ${[program, ...args].join(' ')}`,
      },
    );
  }
  return ended.stdout;
}
