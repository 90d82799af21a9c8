/**
 * The machines that sellers have: each boots the same ISO, its network card reaches the broker, and the broker's word on it
 * is the honest one. `uefi-cd` and `uefi-usb` with all their registers are in attested.e2e.test.ts, rarer shapes in test/matrix.
 */
import { describe, expect, it } from 'vitest';
import { type ShapeName, shapes } from '../../scripts/run/shapes.ts';
import { bootShape, expectShape, pullStick, takeDiscOut } from './shapes-support.ts';
import { bootScene, checkedByABuyer, createScene, testTools, waitForVerdict } from './support.ts';

describe('a shape', () => {
  it.each<ShapeName>([
    'vmware',
    'uefi-cd-tis',
    'virtualbox',
    'virtualbox-uefi',
    'bios-cd',
    'bios-usb',
    'uefi-cd-no-tpm',
  ])('%s: boots, and is judged as it deserves', async (name) => {
    await expectShape(await bootShape(name));
  });
});

describe('the medium may go once the machine runs', () => {
  it('a USB stick pulled out: a fresh quote is accepted after it', async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, shapes['uefi-usb']);
    const { attestation, report } = await waitForVerdict(scene, machine);
    expect(attestation).toBe('accepted');
    await pullStick(machine);
    await checkedByABuyer(scene, report.machineId);
    expect(machine.process.isRunning()).toBe(true);
  });

  it('a CD taken out, in a machine with 8 GiB: a fresh quote is accepted after it', async () => {
    const { scene, machine, shape } = await bootShape('uefi-cd-8g');
    const { report } = await expectShape({ scene, machine, shape });
    await takeDiscOut(machine);
    await checkedByABuyer(scene, report?.machineId ?? '');
  });
});
