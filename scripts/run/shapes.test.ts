import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../project.ts';
import { shapeNamed, shapeNames, shapes } from './shapes.ts';

describe('shapes', () => {
  it('pairs Secure Boot only with the chipset that has SMM', () => {
    for (const name of shapeNames) {
      const { chipset, firmware } = shapes[name];
      if (firmware === 'uefi-secure-boot') expect(chipset, name).toBe('q35');
    }
  });

  it('covers each promise: firmware, medium, network card, TPM interface, memory', () => {
    const of = (field: 'chipset' | 'firmware' | 'medium' | 'networkCard' | 'tpm' | 'memoryMiB') =>
      new Set(shapeNames.map((name) => shapes[name][field]));
    expect(of('chipset')).toEqual(new Set(['q35', 'pc']));
    expect(of('firmware')).toEqual(new Set(['uefi-secure-boot', 'uefi', 'bios']));
    expect(of('medium')).toEqual(new Set(['cd', 'scsi-cd', 'usb', 'usb2']));
    expect(of('networkCard')).toEqual(new Set(['e1000', 'e1000e', 'vmxnet3', 'virtio-net-pci']));
    expect(of('tpm')).toEqual(new Set(['tpm-crb', 'tpm-tis', 'none']));
    expect(of('memoryMiB')).toEqual(new Set([512, 8192]));
  });

  it('knows its names, and lists them to whoever asks for another', () => {
    expect(shapeNamed('vmware')).toMatchObject({ networkCard: 'vmxnet3', medium: 'cd' });
    for (const name of ['vm-ware', 'toString', '']) {
      expect(() => shapeNamed(name)).toThrow(
        expect.objectContaining({ code: 'SHAPE_UNKNOWN', nextStep: expect.stringContaining('vmware') }),
      );
    }
  });
});

it('docs/shapes.md has a row for each shape, and no other', async () => {
  const page = await readFile(join(projectRoot, 'docs/shapes.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual([...shapeNames]);
});
