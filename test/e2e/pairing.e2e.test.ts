/** The real screen asks to be paired: its QR code is read from the picture, a seller says yes on the page, and a reboot asks nothing. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import { addAccount } from '../../src/broker/accounts.ts';
import { newSeller } from '../../src/broker/testing/seller-client.ts';
import { readQr } from '../pictures/read-qr.ts';
import { BOOT_TIMEOUT_MS, bootScene, createScene, testTools } from './support.ts';

const screens = join(projectRoot, 'dist/test-artifacts/screens');

describe('a machine that nobody has claimed', () => {
  it('shows a code and a QR code, is claimed on the page, and is known again after a reboot', async () => {
    const scene = await createScene(await testTools());
    const secret = await addAccount(join(scene.folder, 'broker'), 'anna');
    await mkdir(screens, { recursive: true });

    const machine = await bootScene(scene);
    const waiting = await machine.waitForSerial(/pairing=waiting code=([A-Z]{4}-[A-Z]{4}) url=(\S+)/, BOOT_TIMEOUT_MS);
    const [, userCode = '', url = ''] = waiting;
    expect(url).toBe(`https://10.0.2.2:${scene.broker.port}/pair`);
    const picture = join(screens, 'boot-pair-me.png');
    const link = await waitFor(
      async () => {
        await machine.screenshot(picture);
        return readQr(await readFile(picture)) ?? undefined;
      },
      { what: 'a QR code on the screen', timeoutMs: 60_000, whileRunning: machine.process, pollMs: 500 },
    );
    expect(link).toBe(`HTTPS://10.0.2.2:${scene.broker.port}/PAIR/${userCode}`);

    // As the seller's phone would, at this host's own address of the same broker.
    const seller = newSeller(scene.broker.url);
    await seller.open(new URL(link).pathname);
    await seller.submit('/pair/sign-in', { name: 'anna', secret, code: userCode });
    const facts = await seller.submit('/pair/look', { code: userCode });
    const { machines } = await scene.client.machines();
    expect(facts.html).toContain(machines[0]?.machineId.slice(0, 8));
    expect(facts.html).toContain('UEFI');
    await seller.submit('/pair/decide', { code: userCode, decision: 'confirm' });
    await machine.waitForSerial(/pairing=paired account="anna"/, 60_000);
    await machine.waitForSerial(/attestation=accepted/, BOOT_TIMEOUT_MS);
    await machine.screenshot(join(screens, 'boot-waiting.png'));
    await machine.close();

    const again = await bootScene(scene);
    await again.waitForSerial(/pairing=paired account="anna"/, BOOT_TIMEOUT_MS);
    expect(await again.serialText()).not.toContain('pairing=waiting');
  });
});
