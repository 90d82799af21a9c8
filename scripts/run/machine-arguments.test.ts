import { describe, expect, it } from 'vitest';
import { type MachineSpec, machineArguments } from './machine-arguments.ts';

const spec: MachineSpec = {
  iso: '/x/seller.iso',
  medium: 'cd',
  firmware: { code: '/f/code.fd', variables: '/f/vars.fd' },
  accelerator: 'tcg',
  memoryMiB: 512,
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
    expect(valuesOf(machineArguments(spec), '-device')).toContain('ide-cd,bus=ide.0,drive=medium,bootindex=0');
    const usb = valuesOf(machineArguments({ ...spec, medium: 'usb' }), '-device');
    expect(usb).toContain('usb-storage,bus=xhci.0,drive=medium,removable=on,bootindex=0');
    expect(usb.join()).not.toContain('ide-cd');
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
