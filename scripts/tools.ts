/**
 * The build tools of the lock, run from the folder where their .debs were unpacked, through their own dynamic loader.
 * Nothing of the host is used but its kernel, so every x86-64 Linux builds the same bytes. One thing cannot be refused: a
 * library that the host's administrator forces into every program (/etc/ld.so.preload).
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { CodedError } from '../src/shared/errors.ts';

export class ToolError extends CodedError<'TOOL_FAILED' | 'TOOL_MISSING' | 'DISK_FULL'> {}

/** Where each tool lies in the unpacked root. Links such as `mformat` are kept: these programs look at their own name. */
export const PROGRAMS = {
  xorriso: 'usr/bin/xorriso',
  mksquashfs: 'usr/bin/mksquashfs',
  unsquashfs: 'usr/bin/unsquashfs',
  mformat: 'usr/bin/mformat',
  mcopy: 'usr/bin/mcopy',
  mlabel: 'usr/bin/mlabel',
  mmd: 'usr/bin/mmd',
  mdir: 'usr/bin/mdir',
  'grub-mkimage': 'usr/bin/grub-mkimage',
  depmod: 'usr/sbin/depmod',
  modinfo: 'usr/sbin/modinfo',
  xz: 'usr/bin/xz',
  zstd: 'usr/bin/zstd',
} as const;

export type ToolName = keyof typeof PROGRAMS;

export interface ToolOptions {
  /** Added to the fixed environment (LC_ALL, TZ, SOURCE_DATE_EPOCH); `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Standard input; empty when absent. */
  readonly input?: string | Uint8Array | Readable;
  /** Standard output goes to this file instead of the result. */
  readonly outputFile?: string;
}

export interface ToolResult {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Tools {
  /** @throws ToolError when the tool is missing from the lock or ends with another status than 0 */
  run(name: ToolName, args: readonly string[], options?: ToolOptions): Promise<ToolResult>;
  /** What the tool writes for this input, as it comes; the stream fails when the tool does. */
  pipe(name: ToolName, args: readonly string[], input: Uint8Array): Readable;
}

/** mtools' own defaults. Without them it would follow /etc/mtools.conf of the host. */
const MTOOLS_SETTINGS = {
  MTOOLS_SKIP_CHECK: '0',
  MTOOLS_FAT_COMPATIBILITY: '0',
  MTOOLS_LOWER_CASE: '0',
  MTOOLS_NO_VFAT: '0',
  MTOOLS_NAME_NUMERIC_TAIL: '1',
  DEFAULT_CODEPAGE: '850',
};

/** Tools below `root`, the merged tree of all tool packages (`usr/bin`, `usr/lib/x86_64-linux-gnu`, …). */
export function lockedTools(root: string, sourceDateEpoch: number): Tools {
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  const environment = (extra: ToolOptions['env'] = {}) => {
    const fixed = {
      LC_ALL: 'C',
      // A rule of its own: the name of a zone would be looked up in the host's files.
      TZ: 'UTC0',
      HOME: '/nonexistent',
      PATH: '/nonexistent',
      GCONV_PATH: join(libraries, 'gconv'),
      SOURCE_DATE_EPOCH: String(sourceDateEpoch),
      ...MTOOLS_SETTINGS,
    };
    return Object.fromEntries(Object.entries({ ...fixed, ...extra }).filter(([, value]) => value !== undefined));
  };
  const command = (name: ToolName, args: readonly string[]) => [
    '--inhibit-cache',
    '--library-path',
    libraries,
    join(root, PROGRAMS[name]),
    ...args,
  ];
  return {
    async run(name, args, options = {}) {
      await mustExist(join(root, PROGRAMS[name]), name);
      const result = await execa(loader, command(name, args), {
        env: environment(options.env),
        extendEnv: false,
        reject: false,
        stripFinalNewline: false,
        maxBuffer: 64 * 1024 * 1024,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.outputFile === undefined ? {} : { stdout: { file: options.outputFile } }),
        ...inputOf(options.input),
      });
      if (result.failed) throw failure(name, args, result);
      return { stdout: String(result.stdout ?? ''), stderr: String(result.stderr ?? '') };
    },
    pipe(name, args, input) {
      const child = execa(loader, command(name, args), {
        env: environment(),
        extendEnv: false,
        encoding: 'buffer',
        buffer: false,
        input,
      });
      return child.readable();
    },
  };
}

function inputOf(input: ToolOptions['input']): { input?: string | Uint8Array | Readable; stdin?: 'ignore' } {
  return input === undefined ? { stdin: 'ignore' } : { input };
}

async function mustExist(program: string, name: string): Promise<void> {
  await access(program).catch((cause: unknown) => {
    throw new ToolError('TOOL_MISSING', `the build tool ${name} is not among the unpacked tool packages (${program})`, {
      cause,
      nextStep: 'add its package to packages.tools in image/image.json and run: npx cpushare image lock',
    });
  });
}

interface Failure {
  readonly stderr?: unknown;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly cause?: unknown;
}

function failure(name: string, args: readonly string[], result: Failure): ToolError {
  const said = String(result.stderr ?? '')
    .trim()
    .split('\n')
    .slice(-8)
    .join('\n');
  if (/no space left on device/i.test(said)) {
    return new ToolError('DISK_FULL', `no space left on the disk while running ${name}`, {
      nextStep: 'free some space (a build needs about 2 GiB), then run the same command again',
    });
  }
  const how = result.signal === undefined ? `status ${result.exitCode ?? 'unknown'}` : `signal ${result.signal}`;
  return new ToolError('TOOL_FAILED', `${name} ended with ${how} (${name} ${args.join(' ')})\n${said}`, {
    cause: result.cause,
  });
}
