/**
 * Which accelerator really runs a machine here. Opening /dev/kvm proves little: some hosts start BIOS guests and stop UEFI
 * ones with "KVM internal error", so the probe boots the real firmware, without a disk, until it has looked for one.
 */
import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeError } from '../../src/shared/errors.ts';
import { ChildError, startChild } from './child.ts';
import { type Firmware, FirmwareError, prepareFirmware } from './firmware.ts';
import { type Accelerator, firmwareArguments } from './machine-arguments.ts';
import { connectQmp } from './qmp.ts';
import { type Hardware, shapes } from './shapes.ts';
import { waitFor } from './wait.ts';

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** Why, for the person watching. */
  readonly reason: string;
}

type Kind = Pick<Hardware, 'chipset' | 'firmware'>;

/** @param machine what shall run: KVM that runs one firmware may fail with another */
export async function chooseAccelerator(machine: Kind = shapes['uefi-cd']): Promise<AcceleratorChoice> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { accelerator: 'tcg', reason: missing ? 'no /dev/kvm here' : 'no permission for /dev/kvm (group kvm)' };
  }
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-kvm-'));
  try {
    await bootFirmware(folder, machine);
    return { accelerator: 'kvm', reason: `KVM ran the ${machine.firmware === 'bios' ? 'BIOS' : 'UEFI firmware'}` };
  } catch (error) {
    // Without QEMU or firmware no accelerator runs anything: that is not KVM's fault.
    if (error instanceof ChildError || error instanceof FirmwareError) throw error;
    return {
      accelerator: 'tcg',
      reason: `/dev/kvm opens but cannot run this firmware: ${firstLine(describeError(error))}`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bootFirmware(folder: string, machine: Kind): Promise<void> {
  const log = join(folder, 'firmware.log');
  const monitorSocket = join(folder, 'qmp.sock');
  const args = probeArguments(machine, await prepareFirmware(folder, machine), log, monitorSocket);
  const qemu = await startChild('qemu-system-x86_64', args, { debianPackage: 'qemu-system-x86' });
  try {
    const qmp = await connectQmp(monitorSocket, qemu);
    await waitFor(
      async () => {
        const answer = (await qmp.execute('query-status').catch(() => undefined)) as { status: string } | undefined;
        if (answer?.status === 'internal-error') throw new Error('KVM internal error');
        const text = await readFile(log, 'latin1').catch(() => '');
        return SEARCHED_A_DISK.test(text) ? true : undefined;
      },
      { what: 'the firmware under KVM', timeoutMs: 20_000, whileRunning: qemu },
    );
    qmp.close();
  } finally {
    await qemu.stop(500);
  }
}

/** What OVMF says on the serial port, and SeaBIOS on its debug port. */
const SEARCHED_A_DISK = /BdsDxe|No bootable device/;

function probeArguments(machine: Kind, firmware: Firmware | null, log: string, monitorSocket: string) {
  return [
    '-nodefaults',
    '-no-user-config',
    ...['-machine', `${machine.chipset},smm=${firmware?.needsSmm ? 'on' : 'off'},vmport=off`],
    ...['-accel', 'kvm', '-cpu', 'host'],
    ...['-m', '256M'],
    ...firmwareArguments(firmware),
    ...['-display', 'none'],
    ...['-chardev', `file,id=log,path=${log}`],
    ...(firmware === null ? ['-device', 'isa-debugcon,iobase=0x402,chardev=log'] : ['-serial', 'chardev:log']),
    ...['-qmp', `unix:${monitorSocket},server=on,wait=off`],
    '-no-reboot',
  ];
}

const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';
