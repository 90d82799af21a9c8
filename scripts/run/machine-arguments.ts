/** QEMU's command line for one virtual seller machine; pure. One option per line, beside its reason. */
import type { Firmware } from './firmware.ts';
import type { Chipset, Medium, NetworkCard, TpmInterface } from './shapes.ts';

export type Accelerator = 'kvm' | 'tcg';
/** `none`: nothing to look at but the serial log. */
export type Display = 'none' | 'gtk' | 'curses' | 'vnc';

/** The medium's device, as QMP names it to take it away. */
export const MEDIUM_DEVICE = 'medium-device';

export interface MachineSpec {
  readonly chipset: Chipset;
  readonly iso: string;
  readonly medium: Medium;
  /** Null boots SeaBIOS: a legacy BIOS machine. */
  readonly firmware: Firmware | null;
  readonly accelerator: Accelerator;
  readonly memoryMiB: number;
  readonly networkCard: NetworkCard;
  readonly tpm: TpmInterface;
  /** swtpm's control socket, or null for a machine without a TPM. */
  readonly tpmSocket: string | null;
  /** A raw disk image with a volume labelled CPUSHARE, or null. */
  readonly configurationVolume: string | null;
  readonly display: Display;
  /** SMBIOS structure type 11, without commas. */
  readonly oemStrings?: readonly string[];
  /** What devices stand on, as a memory file does. */
  readonly extraObjects?: readonly string[];
  /** Further devices, by QEMU's names: before all others, as an IOMMU must be. */
  readonly extraDevices?: readonly string[];
  /** Where the machine's memory is kept, so that it can be read after its end. */
  readonly memoryFile?: string;
  readonly serialLog: string;
  readonly monitorSocket: string;
}

export function machineArguments(spec: MachineSpec): string[] {
  return [
    '-nodefaults',
    '-no-user-config',
    ...['-machine', `${spec.chipset},smm=${spec.firmware?.needsSmm ? 'on' : 'off'},vmport=off`],
    ...accelerator(spec.accelerator),
    ...memory(spec.memoryMiB, spec.memoryFile),
    ...(spec.extraObjects ?? []).flatMap((object) => ['-object', object]),
    ...(spec.extraDevices ?? []).flatMap((device) => ['-device', device]),
    ...firmwareArguments(spec.firmware),
    ...tpm(spec.tpm, spec.tpmSocket),
    ...['-device', 'qemu-xhci,id=xhci'],
    ...medium(spec),
    ...configuration(spec.configurationVolume),
    ...(spec.oemStrings ?? []).flatMap((value) => ['-smbios', `type=11,value=${value}`]),
    // Guests reach the host's loopback, and so the broker, at 10.0.2.2.
    ...['-netdev', 'user,id=net0'],
    ...['-device', `${spec.networkCard},netdev=net0,romfile=`],
    ...['-device', 'VGA'],
    ...display(spec.display),
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

function memory(sizeMiB: number, file: string | undefined): string[] {
  const size = ['-m', `${sizeMiB}M`];
  if (file === undefined) return size;
  const backend = `memory-backend-file,id=memory,size=${sizeMiB}M,share=on,mem-path=${file}`;
  return [...size, '-object', backend, '-machine', 'memory-backend=memory'];
}

export function firmwareArguments(files: Firmware | null): string[] {
  if (files === null) return [];
  return [
    ...(files.needsSmm ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${files.code}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${files.variables}`],
  ];
}

function tpm(device: TpmInterface, socket: string | null): string[] {
  if (socket === null || device === 'none') return [];
  return [
    ...['-chardev', `socket,id=tpmsock,path=${socket}`],
    ...['-tpmdev', 'emulator,id=tpm0,chardev=tpmsock'],
    ...['-device', `${device},tpmdev=tpm0`],
  ];
}

function medium(spec: MachineSpec): string[] {
  const cd = spec.medium === 'cd' || spec.medium === 'scsi-cd';
  const format = spec.iso.endsWith('.vmdk') ? 'vmdk' : 'raw';
  // A fixed disk cannot be read-only: what would be written to it is dropped.
  const kept = spec.medium === 'disk' ? 'snapshot=on' : 'readonly=on';
  const drive = `if=none,id=medium,format=${format},${cd ? 'media=cdrom,' : ''}${kept},file=${spec.iso}`;
  const device = `drive=medium,id=${MEDIUM_DEVICE},bootindex=0`;
  return [
    '-drive',
    drive,
    ...mediumDevice(spec.medium).flatMap((words) => ['-device', words.replace('DRIVE', device)]),
  ];
}

function mediumDevice(medium: Medium): string[] {
  switch (medium) {
    case 'cd':
      return ['ide-cd,bus=ide.0,DRIVE'];
    case 'disk':
      return ['ide-hd,bus=ide.0,DRIVE'];
    case 'scsi-cd':
      return ['pvscsi,id=scsi', 'scsi-cd,bus=scsi.0,DRIVE'];
    case 'usb':
      return ['usb-storage,bus=xhci.0,DRIVE,removable=on'];
    case 'usb2':
      return ['usb-ehci,id=ehci', 'usb-storage,bus=ehci.0,DRIVE,removable=on'];
    default:
      return medium satisfies never;
  }
}

function configuration(volume: string | null): string[] {
  if (volume === null) return [];
  return [
    ...['-drive', `if=none,id=configuration,format=raw,readonly=on,file=${volume}`],
    ...['-device', 'usb-storage,bus=xhci.0,drive=configuration,removable=on'],
  ];
}

function display(kind: Display): string[] {
  // Whoever is on this computer may look; nobody else.
  if (kind === 'vnc') return ['-display', 'vnc=127.0.0.1:0,to=99'];
  return ['-display', kind];
}
