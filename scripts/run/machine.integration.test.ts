/** A real QEMU, a real swtpm: started, asked, photographed, ended. */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startMachine } from './machine.ts';
import { shapes } from './shapes.ts';
import { waitFor } from './wait.ts';

it('boots firmware with a TPM, shows its screen, and leaves no process behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cpushare-machine-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const iso = join(folder, 'empty.iso');
  await writeFile(iso, new Uint8Array(64 * 1024)); // nothing to boot: the firmware says so
  const machine = await startMachine({
    folder: join(folder, 'm'),
    tpmFolder: join(folder, 'tpm'),
    iso,
    ...shapes['uefi-cd'],
    accelerator: 'tcg',
    memoryMiB: 256,
    configurationVolume: null,
  });
  onTestFinished(() => machine.close());
  expect(machine.trustPem).toMatch(/^-----BEGIN CERTIFICATE-----/);
  await machine.waitForSerial(/BdsDxe/, 180_000);
  const picture = join(folder, 'screen.png');
  await machine.screenshot(picture);
  const header = await waitFor(
    async () => {
      const bytes = await readFile(picture).catch(() => Buffer.alloc(0));
      return bytes.length > 1000 ? bytes.subarray(1, 4).toString() : undefined;
    },
    { what: 'the picture', timeoutMs: 10_000 },
  );
  expect(header).toBe('PNG');
  await expect(machine.qmp.execute('no-such-command')).rejects.toMatchObject({ code: 'QMP_REFUSED' });
  await machine.close();
  expect(machine.process.isRunning()).toBe(false);
  await expect(access(`/proc/${machine.process.pid}`)).rejects.toMatchObject({ code: 'ENOENT' });
});
