/**
 * The machines that sellers have, as QEMU can stand in for them: pure data. What a shape stands in for is in `summary`; the
 * real VirtualBox or VMware is another matter, since only their devices are the same.
 */
import { CodedError } from '../../src/shared/errors.ts';

export class ShapeError extends CodedError<'SHAPE_UNKNOWN'> {}

export type Chipset = 'q35' | 'pc';
/** Secure Boot needs SMM, which QEMU's `pc` with OVMF does not have: there it is `uefi` or `bios`. */
export type FirmwareKind = 'uefi-secure-boot' | 'uefi' | 'bios';
/** `cd` and `disk`: the chipset's own controller, SATA on q35 and IDE on pc. `usb` is on USB 3, `usb2` on USB 2. */
export type Medium = 'cd' | 'scsi-cd' | 'usb' | 'usb2' | 'disk';
/** `ne2k_pci` has no driver in the image: what the screen says of it is tested. */
export type NetworkCard = 'e1000' | 'e1000e' | 'vmxnet3' | 'virtio-net-pci' | 'ne2k_pci';
export type TpmInterface = 'tpm-crb' | 'tpm-tis' | 'none';

export interface Hardware {
  readonly chipset: Chipset;
  readonly firmware: FirmwareKind;
  readonly medium: Medium;
  readonly networkCard: NetworkCard;
  readonly tpm: TpmInterface;
  readonly memoryMiB: number;
}

export interface Shape extends Hardware {
  readonly summary: string;
}

/** A PC of today, as small as we support. */
const pc = {
  chipset: 'q35',
  firmware: 'uefi-secure-boot',
  medium: 'cd',
  networkCard: 'e1000e',
  tpm: 'tpm-crb',
  memoryMiB: 512,
} as const satisfies Hardware;

export const shapes = {
  'uefi-cd': { ...pc, summary: 'PC with UEFI Secure Boot and TPM, started from a CD' },
  'uefi-usb': { ...pc, medium: 'usb', summary: 'the same PC, started from a USB stick' },
  'uefi-cd-tis': { ...pc, tpm: 'tpm-tis', summary: 'the same PC with a TPM on the older TIS interface' },
  'uefi-cd-no-tpm': { ...pc, tpm: 'none', summary: 'the same PC with its TPM switched off' },
  'uefi-cd-8g': { ...pc, memoryMiB: 8192, summary: 'the same PC with 8 GiB of memory' },
  'bios-cd': { ...pc, firmware: 'bios', summary: 'PC with a legacy BIOS and a TPM, started from a CD' },
  'bios-usb': { ...pc, firmware: 'bios', medium: 'usb', summary: 'the same PC, started from a USB stick' },
  'bios-usb2': {
    ...pc,
    firmware: 'bios',
    medium: 'usb2',
    tpm: 'none',
    summary: 'PC of 15 years ago: BIOS, USB 2 stick, no TPM',
  },
  virtualbox: {
    chipset: 'pc',
    firmware: 'bios',
    medium: 'cd',
    networkCard: 'e1000',
    tpm: 'none',
    memoryMiB: 512,
    summary: 'like VirtualBox with its own defaults: BIOS, IDE CD, e1000, no TPM',
  },
  'virtualbox-uefi': {
    chipset: 'pc',
    firmware: 'uefi',
    medium: 'cd',
    networkCard: 'e1000',
    tpm: 'tpm-crb',
    memoryMiB: 512,
    summary: 'like VirtualBox with EFI and TPM on, Secure Boot off',
  },
  vmware: { ...pc, networkCard: 'vmxnet3', summary: 'like VMware: UEFI Secure Boot, TPM, SATA CD, vmxnet3' },
  'vmware-bios': {
    chipset: 'pc',
    firmware: 'bios',
    medium: 'scsi-cd',
    networkCard: 'vmxnet3',
    tpm: 'none',
    memoryMiB: 512,
    summary: 'like an older VMware machine: BIOS, paravirtual SCSI CD, vmxnet3, no TPM',
  },
  virtio: {
    ...pc,
    networkCard: 'virtio-net-pci',
    summary: 'like libvirt or Proxmox: UEFI Secure Boot, TPM, virtio-net',
  },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof shapes;

export const shapeNames = Object.keys(shapes) as readonly ShapeName[];

/** @throws ShapeError */
export function shapeNamed(name: string): Shape {
  if (Object.hasOwn(shapes, name)) return shapes[name as ShapeName];
  throw new ShapeError('SHAPE_UNKNOWN', `no machine shape is called ${name}`, {
    nextStep: `take one of: ${shapeNames.join(', ')}`,
  });
}
