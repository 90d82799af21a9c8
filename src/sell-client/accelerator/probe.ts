/** Runs the tiny guest under each accelerator until one really ran it; SeaBIOS and the machine are those of later guests. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { AcceleratorAttempt, AcceleratorResult } from '../agent/state.ts';
import { bootDisk, DEBUG_PORT, EXIT_PORT, expectedOutput } from './boot-sector.ts';
import {
  ACCELERATORS,
  type AcceleratorName,
  chooseAccelerator,
  type GuestRun,
  judgeRun,
  parseAccelerators,
} from './rules.ts';

export interface ProbeOptions {
  readonly qemu: string;
  /** Where the guest's disk may lie for the time of the probe. */
  readonly temporaryFolder: string;
  /** Emulation inside an emulated machine is slow, so its bound is wide. */
  readonly timeoutMs: { readonly [Name in AcceleratorName]: number };
  readonly signal: AbortSignal;
}

export const PROBE_TIMEOUTS_MS = { kvm: 20_000, kqemu: 20_000, tcg: 120_000 } as const;

export async function probeAccelerators(options: ProbeOptions): Promise<AcceleratorResult> {
  const folder = await mkdtemp(join(options.temporaryFolder, 'accelerator-'));
  try {
    const offered = await offeredAccelerators(options);
    const tried: AcceleratorAttempt[] = [];
    for (const name of ACCELERATORS) {
      tried.push(await attempt(name, offered, folder, options));
      if (tried.at(-1)?.ran) break;
    }
    return chooseAccelerator(tried);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function offeredAccelerators(options: ProbeOptions): Promise<string[]> {
  const help = await execa(options.qemu, ['-accel', 'help'], {
    reject: false,
    timeout: 20_000,
    cancelSignal: options.signal,
  });
  return parseAccelerators(help.stdout);
}

async function attempt(
  name: AcceleratorName,
  offered: readonly string[],
  folder: string,
  options: ProbeOptions,
): Promise<AcceleratorAttempt> {
  if (!offered.includes(name)) return { name, ran: false, reason: 'is not offered by this QEMU' };
  const secret = randomBytes(16);
  const disk = join(folder, `${name}.img`);
  await writeFile(disk, bootDisk(secret));
  return judgeRun(name, await runGuest(name, disk, options), expectedOutput(secret));
}

async function runGuest(name: AcceleratorName, disk: string, options: ProbeOptions): Promise<GuestRun> {
  const run = await execa(options.qemu, guestArguments(name, disk), {
    reject: false,
    encoding: 'buffer',
    maxBuffer: 64 * 1024,
    timeout: options.timeoutMs[name],
    cancelSignal: options.signal,
    forceKillAfterDelay: 1000,
    stdin: 'ignore',
  });
  return {
    output: run.stdout,
    exitCode: run.exitCode,
    timedOut: run.timedOut,
    stderr: new TextDecoder().decode(run.stderr) || (run.exitCode === undefined ? (run.originalMessage ?? '') : ''),
  };
}

function guestArguments(name: AcceleratorName, disk: string): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-vga', 'none', '-monitor', 'none', '-no-reboot'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-machine', 'q35,usb=off,vmport=off,smbus=off,sata=off,i8042=off', '-accel', name, '-m', '32', '-smp', '1'],
    ...['-blockdev', `driver=raw,node-name=disk,read-only=on,file.driver=file,file.filename=${disk}`],
    ...['-device', 'virtio-blk-pci,drive=disk,bootindex=0'],
    ...['-chardev', 'stdio,id=debug,signal=off', '-device', `isa-debugcon,iobase=${DEBUG_PORT},chardev=debug`],
    ...['-device', `isa-debug-exit,iobase=${EXIT_PORT},iosize=1`],
  ];
}
