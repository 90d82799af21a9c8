/**
 * Closes the machine for good before it attests, and looks again every minute. What it finds open ends the sell client
 * with a status by which PID 1 wipes the memory and restarts the machine.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../shared/errors.ts';
import { type Expectations, findOpenings, type MachineFacts, parseSettings } from './openings.ts';

export class OpenMachineError extends CodedError<'MACHINE_NOT_CLOSED'> {}

/** PID 1 restarts the machine when the sell client ends with this. scripts/tiny-init/services.ts has the same. */
export const RESTART_STATUS = 70;

export interface GuardPlaces {
  readonly sys: string;
  readonly proc: string;
  /** sysctl.conf of the image. */
  readonly kernelSettings: string;
}

export interface Guard {
  /** @throws OpenMachineError naming everything that stands open */
  check(): Promise<void>;
  /** No driver and no device from now on; then checks. @throws OpenMachineError */
  close(): Promise<void>;
}

export interface GuardOptions {
  readonly places: GuardPlaces;
  /** The kernel parameters that the image was built with. */
  readonly commandLine: string;
  /** Loads drivers by name as modprobe(8) does; those that the image does not have are passed over. */
  loadModules(names: readonly string[]): Promise<void>;
}

export async function createGuard({ places, commandLine, loadModules }: GuardOptions): Promise<Guard> {
  const settings = parseSettings(await readFile(places.kernelSettings, 'utf8'));
  let driversFinal = false;
  const check = async () => refuse(await readMachine(places, settings), { commandLine, settings, driversFinal });
  return {
    check,
    close: async () => {
      // Asked for by name when a guest needs its network; later no driver can be loaded.
      await loadModules(LATE_MODULES);
      await refuseNewDevices(places.sys);
      await writeFile(join(places.proc, 'sys/kernel/modules_disabled'), '1');
      driversFinal = true;
      await check();
    },
  };
}

const LATE_MODULES = ['tun'];
/** Buses on which a stranger could plug something in. */
const PLUGGABLE = ['pci', 'usb', 'scsi', 'hid', 'serio', 'i2c', 'thunderbolt', 'firewire', 'mmc', 'pcmcia'];

/** A USB device that comes now is not even asked what it is; one on another bus finds no driver. */
async function refuseNewDevices(sys: string): Promise<void> {
  const hubs = (await list(join(sys, 'bus/usb/devices'))).filter((name) => /^usb\d+$/.test(name));
  for (const hub of hubs) await writeFile(join(sys, 'bus/usb/devices', hub, 'authorized_default'), '0');
  const buses = (await list(join(sys, 'bus'))).filter((name) => PLUGGABLE.includes(name));
  for (const bus of buses) await writeFile(join(sys, 'bus', bus, 'drivers_autoprobe'), '0');
}

function refuse(machine: MachineFacts, expected: Expectations): void {
  const openings = findOpenings(machine, expected);
  if (openings.length === 0) return;
  throw new OpenMachineError('MACHINE_NOT_CLOSED', openings.join('; ').slice(0, 500), {
    nextStep: 'write the image to the medium again and start without changes; the machine restarts now',
  });
}

async function readMachine({ sys, proc }: GuardPlaces, wanted: ReadonlyMap<string, string>): Promise<MachineFacts> {
  const settings = new Map<string, string | null>();
  for (const name of wanted.keys()) {
    const path = join(proc, 'sys', name.replaceAll('.', '/'));
    settings.set(name, await readFile(path, 'utf8').catch(() => null));
  }
  return {
    commandLine: await text(join(proc, 'cmdline')),
    lockdown: await text(join(sys, 'kernel/security/lockdown')),
    signatureEnforced: await text(join(sys, 'module/module/parameters/sig_enforce')),
    hibernation: await text(join(sys, 'power/disk')),
    modulesDisabled: await text(join(proc, 'sys/kernel/modules_disabled')),
    settings,
    mounts: await text(join(proc, 'mounts')),
    swaps: await text(join(proc, 'swaps')),
    tcp: `${await text(join(proc, 'net/tcp'))}\n${await text(join(proc, 'net/tcp6'))}`,
    udp: `${await text(join(proc, 'net/udp'))}\n${await text(join(proc, 'net/udp6'))}`,
  };
}

async function text(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
