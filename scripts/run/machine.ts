/** One virtual seller machine: QEMU with its firmware, its software TPM, its serial log and its screen. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../src/shared/errors.ts';
import { type Child, startChild } from './child.ts';
import { prepareFirmware } from './firmware.ts';
import { type Accelerator, type Display, machineArguments } from './machine-arguments.ts';
import { connectQmp, type Qmp } from './qmp.ts';
import type { Hardware } from './shapes.ts';
import { type SoftwareTpm, startSoftwareTpm } from './swtpm.ts';
import { waitFor } from './wait.ts';

export class MachineError extends CodedError<'MACHINE_ACCELERATOR_BROKEN'> {}

export interface MachineOptions extends Hardware {
  /** Where sockets and logs go; short, absolute. */
  readonly folder: string;
  readonly iso: string;
  readonly accelerator: Accelerator;
  /** State of the software TPM (kept between runs); null, or `tpm: 'none'`, for a machine without one. */
  readonly tpmFolder: string | null;
  readonly configurationVolume: string | null;
  /** Nothing when absent. */
  readonly display?: Display;
  readonly oemStrings?: readonly string[];
  readonly extraObjects?: readonly string[];
  readonly extraDevices?: readonly string[];
  readonly memoryFile?: string;
  /** What the firmware remembers from before; nothing when absent. */
  readonly firmwareVariables?: string;
}

export interface Machine {
  readonly serialLog: string;
  /** CA certificates of the machine's TPM; null without one. */
  readonly trustPem: string | null;
  /** performance.now() at power-on. */
  readonly poweredOnAtMs: number;
  readonly process: Child;
  readonly qmp: Qmp;
  serialText(): Promise<string>;
  /** Waits for text on the serial port. @throws WaitError, MachineError MACHINE_ACCELERATOR_BROKEN */
  waitForSerial(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** @throws MachineError MACHINE_ACCELERATOR_BROKEN when the accelerator has stopped the machine */
  refuseBrokenAccelerator(): Promise<void>;
  /** Writes the screen to a PNG file. */
  screenshot(path: string): Promise<void>;
  close(): Promise<void>;
}

const QEMU_PACKAGE = 'qemu-system-x86';

export async function startMachine(options: MachineOptions): Promise<Machine> {
  await mkdir(options.folder, { recursive: true });
  const serialLog = join(options.folder, 'serial.log');
  const monitorSocket = join(options.folder, 'qmp.sock');
  await rm(serialLog, { force: true });
  await rm(monitorSocket, { force: true });
  const firmware = await prepareFirmware(options.folder, options, options.firmwareVariables);
  const hasTpm = options.tpmFolder !== null && options.tpm !== 'none';
  const tpm: SoftwareTpm | null = hasTpm ? await startSoftwareTpm(options.tpmFolder, options.folder) : null;
  const display = options.display ?? 'none';
  const tpmSocket = tpm?.controlSocket ?? null;
  try {
    const qemu = await startChild(
      'qemu-system-x86_64',
      machineArguments({ ...options, firmware, display, tpmSocket, serialLog, monitorSocket }),
      { debianPackage: QEMU_PACKAGE, terminal: display === 'curses' },
    );
    const poweredOnAtMs = performance.now();
    return await attach(options, { qemu, tpm, serialLog, monitorSocket, poweredOnAtMs });
  } catch (error) {
    await tpm?.close();
    throw error;
  }
}

interface Parts {
  readonly qemu: Child;
  readonly tpm: SoftwareTpm | null;
  readonly serialLog: string;
  readonly monitorSocket: string;
  readonly poweredOnAtMs: number;
}

async function attach(options: MachineOptions, parts: Parts): Promise<Machine> {
  const { qemu, tpm, serialLog } = parts;
  try {
    const qmp = await connectQmp(parts.monitorSocket, qemu);
    const serialText = () => readFile(serialLog, 'latin1').catch(() => '');
    return {
      serialLog,
      trustPem: tpm?.trustPem ?? null,
      poweredOnAtMs: parts.poweredOnAtMs,
      process: qemu,
      qmp,
      serialText,
      refuseBrokenAccelerator: () => refuseBrokenAccelerator(qmp, options.accelerator),
      waitForSerial: (pattern, timeoutMs) =>
        waitFor(
          async () => {
            const match = pattern.exec(await serialText());
            if (match === null) await refuseBrokenAccelerator(qmp, options.accelerator);
            return match ?? undefined;
          },
          { what: `the machine's serial port to say ${pattern}`, timeoutMs, whileRunning: qemu, pollMs: 200 },
        ),
      screenshot: async (path) => {
        await qmp.execute('screendump', { filename: path, format: 'png' });
      },
      close: async () => {
        qmp.close();
        await qemu.stop();
        await tpm?.close();
      },
    };
  } catch (error) {
    await qemu.stop();
    throw error;
  }
}

/** A /dev/kvm that opens but cannot run this firmware leaves QEMU paused with `internal-error`. */
async function refuseBrokenAccelerator(qmp: Qmp, accelerator: Accelerator): Promise<void> {
  const status = (await qmp.execute('query-status').catch(() => undefined)) as { status: string } | undefined;
  if (status?.status === 'internal-error') {
    throw new MachineError('MACHINE_ACCELERATOR_BROKEN', `${accelerator} stopped the machine with an internal error`, {
      nextStep: 'start it again with software emulation (accelerator tcg)',
    });
  }
}
