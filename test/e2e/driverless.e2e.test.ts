/** A machine whose only network card (an NE2000, last sold before 2010) has no driver in the image. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import { bootShape } from './shapes-support.ts';
import { BOOT_TIMEOUT_MS } from './support.ts';

it('says which device has no driver, by id and slot, and what to do', async () => {
  const { machine } = await bootShape('bios-cd', { networkCard: 'ne2k_pci', tpm: 'none' });
  const [, slot = ''] = await machine.waitForSerial(
    /cpushare: no-driver=10ec:8029 bus=PCI slot=(0000:00:[0-9a-f]{2}\.0) what=wired/,
    BOOT_TIMEOUT_MS,
  );
  const [said] = await machine.waitForSerial(/cpushare: error=NETWORK_DRIVER_MISSING [^\n]*/, BOOT_TIMEOUT_MS);
  expect(said).toContain(`no driver for: wired network card 10ec:8029 (PCI ${slot})`);
  expect(said).toMatch(/next="plug in another card or USB adapter; hardware\.html/);
  const pictures = join(projectRoot, 'dist/test-artifacts/screens');
  await mkdir(pictures, { recursive: true });
  await machine.screenshot(join(pictures, 'booted-without-driver.png'));
  expect(await machine.serialText()).not.toMatch(/NETWORK_NO_CARD|network=up/);
});
