import { describe, expect, it } from 'vitest';
import { type MachineSpec, machineArguments } from './machine-arguments.ts';
import { shapes } from './shapes.ts';

const spec: MachineSpec = {
  ...shapes['uefi-cd'],
  iso: '/x/seller.iso',
  firmware: { code: '/f/code.fd', variables: '/f/vars.fd', needsSmm: true },
  accelerator: 'tcg',
  display: 'none',
  tpmSocket: '/x/tpm.sock',
  configurationVolume: '/x/configuration.img',
  serialLog: '/x/serial.log',
  monitorSocket: '/x/qmp.sock',
};

/** The value after each occurrence of an option. */
const valuesOf = (args: readonly string[], option: string) =>
  args.flatMap((word, index) => (word === option ? [args[index + 1]] : []));

describe('machineArguments', () => {
  it('protects the Secure Boot variables by SMM and opens every medium read-only', () => {
    const args = machineArguments(spec);
    expect(valuesOf(args, '-machine')).toEqual(['q35,smm=on,vmport=off']);
    expect(valuesOf(args, '-global')).toEqual(['driver=cfi.pflash01,property=secure,value=on']);
    const media = valuesOf(args, '-drive').filter((drive) =>
      /seller\.iso|configuration\.img|code\.fd/.test(drive ?? ''),
    );
    expect(media).toHaveLength(3);
    for (const drive of media) expect(drive).toContain('readonly=on');
  });

  it('plugs the same image in as a CD or as a USB stick', () => {
    expect(valuesOf(machineArguments(spec), '-device')).toContain(
      'ide-cd,bus=ide.0,drive=medium,id=medium-device,bootindex=0',
    );
    const usb = valuesOf(machineArguments({ ...spec, medium: 'usb' }), '-device');
    expect(usb).toContain('usb-storage,bus=xhci.0,drive=medium,id=medium-device,bootindex=0,removable=on');
    expect(usb.join()).not.toContain('ide-cd');
  });

  it.each([
    { medium: 'usb2', devices: ['usb-ehci,id=ehci', 'usb-storage,bus=ehci.0,'] },
    { medium: 'scsi-cd', devices: ['pvscsi,id=scsi', 'scsi-cd,bus=scsi.0,'] },
  ] as const)('brings the controller of $medium before its device', ({ medium, devices }) => {
    const line = valuesOf(machineArguments({ ...spec, medium }), '-device').join(' ');
    const at = devices.map((device) => line.indexOf(device));
    expect(at.every((position) => position >= 0)).toBe(true);
    expect(at).toEqual([...at].sort((a, b) => a - b));
  });

  it('has no SMM where the firmware is built without it', () => {
    const files = { code: '/f/code.fd', variables: '/f/vars.fd', needsSmm: false };
    const args = machineArguments({ ...spec, chipset: 'pc', firmware: files });
    expect(valuesOf(args, '-machine')).toEqual(['pc,smm=off,vmport=off']);
    expect(valuesOf(args, '-global')).toEqual([]);
    expect(valuesOf(args, '-drive').filter((drive) => drive?.includes('pflash'))).toHaveLength(2);
  });

  it('leaves out what the machine does not have', () => {
    const bare = machineArguments({ ...spec, firmware: null, tpmSocket: null, configurationVolume: null }).join(' ');
    expect(bare).not.toMatch(/pflash|tpm|configuration/);
    expect(bare).toContain('smm=off');
  });

  it('never falls back silently: one accelerator, named', () => {
    expect(valuesOf(machineArguments(spec), '-accel')).toEqual(['tcg,thread=multi']);
    expect(valuesOf(machineArguments({ ...spec, accelerator: 'kvm' }), '-accel')).toEqual(['kvm']);
  });
});
