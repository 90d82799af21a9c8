/** QEMU's command line for one virtual seller machine; pure. One option per line, beside its reason. */
import type { Firmware } from './firmware.ts';

export type Accelerator = 'kvm' | 'tcg';
/** How the medium is plugged in. */
export type Medium = 'cd' | 'usb';

export interface MachineSpec {
  readonly iso: string;
  readonly medium: Medium;
  /** Null boots SeaBIOS: a legacy BIOS machine. */
  readonly firmware: Firmware | null;
  readonly accelerator: Accelerator;
  readonly memoryMiB: number;
  /** swtpm's control socket, or null for a machine without a TPM. */
  readonly tpmSocket: string | null;
  /** A raw disk image with a volume labelled CPUSHARE, or null. */
  readonly configurationVolume: string | null;
  readonly serialLog: string;
  readonly monitorSocket: string;
}

export function machineArguments(spec: MachineSpec): string[] {
  return [
    '-nodefaults',
    '-no-user-config',
    // SMM keeps Secure Boot variables out of the guest's reach; SeaBIOS does not need it.
    ...['-machine', `q35,smm=${spec.firmware === null ? 'off' : 'on'},vmport=off`],
    ...accelerator(spec.accelerator),
    ...['-m', `${spec.memoryMiB}M`],
    ...firmware(spec.firmware),
    ...tpm(spec.tpmSocket),
    ...['-device', 'qemu-xhci,id=xhci'],
    ...medium(spec),
    ...configuration(spec.configurationVolume),
    // Guests reach the host's loopback, and so the broker, at 10.0.2.2.
    ...['-netdev', 'user,id=net0'],
    ...['-device', 'e1000e,netdev=net0,romfile='],
    ...['-device', 'VGA'],
    ...['-display', 'none'],
    ...['-chardev', `file,id=serial0,path=${spec.serialLog}`],
    ...['-serial', 'chardev:serial0'],
    ...['-qmp', `unix:${spec.monitorSocket},server=on,wait=off`],
    // A machine that reboots has failed: end instead, so that it is seen.
    '-no-reboot',
  ];
}

function accelerator(name: Accelerator): string[] {
  if (name === 'kvm') return ['-accel', 'kvm', '-cpu', 'host', '-smp', '2'];
  // `max` emulates SVM, so KVM is there inside the machine too. One processor: with two, Linux patching its own code was
  // seen to hit the other one half way under software emulation ("Oops: int3" in __schedule), which halts a kernel.
  return ['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '1'];
}

function firmware(files: Firmware | null): string[] {
  if (files === null) return [];
  return [
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${files.code}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${files.variables}`],
  ];
}

function tpm(socket: string | null): string[] {
  if (socket === null) return [];
  return [
    ...['-chardev', `socket,id=tpmsock,path=${socket}`],
    ...['-tpmdev', 'emulator,id=tpm0,chardev=tpmsock'],
    ...['-device', 'tpm-crb,tpmdev=tpm0'],
  ];
}

function medium(spec: MachineSpec): string[] {
  if (spec.medium === 'cd') {
    return [
      ...['-drive', `if=none,id=medium,format=raw,media=cdrom,readonly=on,file=${spec.iso}`],
      ...['-device', 'ide-cd,bus=ide.0,drive=medium,bootindex=0'],
    ];
  }
  return [
    ...['-drive', `if=none,id=medium,format=raw,readonly=on,file=${spec.iso}`],
    ...['-device', 'usb-storage,bus=xhci.0,drive=medium,removable=on,bootindex=0'],
  ];
}

function configuration(volume: string | null): string[] {
  if (volume === null) return [];
  return [
    ...['-drive', `if=none,id=configuration,format=raw,readonly=on,file=${volume}`],
    ...['-device', 'usb-storage,bus=xhci.0,drive=configuration,removable=on'],
  ];
}
