/** Machines that cannot be attested still reach their screen, say why, and never count as attested. */
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../scripts/run/wait.ts';
import { BOOT_TIMEOUT_MS, bootScene, createScene, testTools } from './support.ts';

describe('a legacy BIOS boot', () => {
  it.each(['cd', 'usb'] as const)('from %s reaches the screen and is never attested', async (medium) => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { medium, firmware: 'bios' });
    await machine.waitForSerial(/cpushare: .*attestation=(refused|unattested)/, BOOT_TIMEOUT_MS);
    const known = await waitFor(
      async () => {
        const { machines } = await scene.client.machines();
        return machines.find(({ attestation }) => attestation === 'refused' || attestation === 'unattested');
      },
      { what: 'the broker to list the machine', timeoutMs: 60_000, whileRunning: machine.process },
    );
    expect(known.attestation).not.toBe('accepted');
    expect(await machine.serialText()).not.toMatch(/attestation=accepted/);
  });

  it('without a TPM says so to the broker', async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { firmware: 'bios', tpmFolder: null });
    const known = await waitFor(
      async () => (await scene.client.machines()).machines.find(({ attestation }) => attestation === 'unattested'),
      { what: 'the broker to list the machine', timeoutMs: BOOT_TIMEOUT_MS, whileRunning: machine.process },
    );
    expect(known.reason).toContain('TPM_ABSENT');
  });
});
