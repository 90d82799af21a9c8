/** The rarer machines, and variations of the common ones: held to the same rule as those in test/e2e/shapes.e2e.test.ts. */
import { describe, expect, it } from 'vitest';
import type { Shape, ShapeName } from '../../scripts/run/shapes.ts';
import { bootShape, expectShape } from '../e2e/shapes-support.ts';

interface Variation {
  readonly name: ShapeName;
  readonly change?: Partial<Shape>;
}

const variations: readonly Variation[] = [
  { name: 'virtio' },
  { name: 'vmware-bios' },
  { name: 'bios-usb2' },
  { name: 'uefi-usb', change: { tpm: 'tpm-tis', memoryMiB: 8192 } },
  { name: 'uefi-usb', change: { tpm: 'none' } },
  { name: 'uefi-usb', change: { medium: 'usb2' } },
  { name: 'uefi-cd', change: { firmware: 'uefi', tpm: 'none' } },
  { name: 'vmware', change: { tpm: 'none' } },
  { name: 'vmware', change: { medium: 'usb' } },
  { name: 'virtualbox', change: { tpm: 'tpm-tis' } },
  { name: 'virtualbox', change: { medium: 'usb' } },
  { name: 'virtualbox-uefi', change: { medium: 'usb', tpm: 'tpm-tis' } },
  { name: 'virtualbox-uefi', change: { tpm: 'none' } },
  { name: 'bios-cd', change: { tpm: 'tpm-tis', memoryMiB: 8192 } },
  { name: 'bios-usb', change: { tpm: 'none' } },
];

const titled = variations.map(({ name, change = {} }) => ({
  name,
  change,
  title: [name, ...Object.entries(change).map(([field, value]) => `${field} ${value}`)].join(', '),
}));

describe('a shape', () => {
  it.each(titled)('$title: boots, and is judged as it deserves', async ({ name, change }) => {
    await expectShape(await bootShape(name, change));
  });
});

describe('a TPM whose firmware keeps several banks', () => {
  it('is accepted by its sha256 registers', async () => {
    const banks = ['sha1', 'sha256', 'sha384'];
    const { report } = await expectShape(await bootShape('uefi-cd', {}, { tpmBanks: banks }));
    expect(Object.keys(report?.evidence.pcrs ?? {})).toContain('sha256');
  });
});
