/**
 * Which accelerator really runs a machine here. Opening /dev/kvm proves little: some hosts start BIOS guests and stop UEFI
 * ones with "KVM internal error", so the probe boots the real firmware, without a disk, until it has looked for one.
 */
import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeError } from '../../src/shared/errors.ts';
import { ChildError, startChild } from './child.ts';
import { FirmwareError, prepareFirmware } from './firmware.ts';
import type { Accelerator } from './machine-arguments.ts';
import { connectQmp } from './qmp.ts';
import { waitFor } from './wait.ts';

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** Why, for the person watching. */
  readonly reason: string;
}

export async function chooseAccelerator(): Promise<AcceleratorChoice> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { accelerator: 'tcg', reason: missing ? 'no /dev/kvm here' : 'no permission for /dev/kvm (group kvm)' };
  }
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-kvm-'));
  try {
    await bootFirmware(folder);
    return { accelerator: 'kvm', reason: 'KVM ran the UEFI firmware' };
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

async function bootFirmware(folder: string): Promise<void> {
  const firmware = await prepareFirmware(folder, true);
  const serialLog = join(folder, 'serial.log');
  const monitorSocket = join(folder, 'qmp.sock');
  const qemu = await startChild('qemu-system-x86_64', probeArguments(firmware, serialLog, monitorSocket), {
    debianPackage: 'qemu-system-x86',
  });
  try {
    const qmp = await connectQmp(monitorSocket, qemu);
    await waitFor(
      async () => {
        const answer = (await qmp.execute('query-status').catch(() => undefined)) as { status: string } | undefined;
        if (answer?.status === 'internal-error') throw new Error('KVM internal error');
        const text = await readFile(serialLog, 'latin1').catch(() => '');
        return text.includes('BdsDxe') ? true : undefined;
      },
      { what: 'the firmware under KVM', timeoutMs: 20_000, whileRunning: qemu },
    );
    qmp.close();
  } finally {
    await qemu.stop(500);
  }
}

function probeArguments(firmware: { code: string; variables: string }, serialLog: string, monitorSocket: string) {
  return [
    '-nodefaults',
    '-no-user-config',
    ...['-machine', 'q35,smm=on,vmport=off'],
    ...['-accel', 'kvm', '-cpu', 'host'],
    ...['-m', '256M'],
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${firmware.code}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${firmware.variables}`],
    ...['-display', 'none'],
    ...['-chardev', `file,id=serial0,path=${serialLog}`],
    ...['-serial', 'chardev:serial0'],
    ...['-qmp', `unix:${monitorSocket},server=on,wait=off`],
    '-no-reboot',
  ];
}

const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';
