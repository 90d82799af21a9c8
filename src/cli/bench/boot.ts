/** From power-on to user space and to attested, and the memory the machine uses then. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseAccelerator } from '../../../scripts/run/accelerator.ts';
import { manufactureTpm } from '../../../scripts/run/swtpm.ts';
import { attestedMachine } from '../demo/attested-machine.ts';
import { startBrokerProcess } from '../demo/broker-process.ts';
import { createCleanup } from '../demo/cleanup.ts';
import { buildForDemo } from '../demo/image.ts';
import { benchFolder } from './bench-folder.ts';
import type { Emit } from './figure.ts';

/** The machine says it once, after its first verdict. */
const MEMORY_TIMEOUT_MS = 60_000;

export async function benchBoot(emit: Emit): Promise<void> {
  const image = await buildForDemo(() => undefined);
  const { accelerator } = await chooseAccelerator();
  const cleanup = createCleanup();
  try {
    const folder = await benchFolder(cleanup);
    const tpmFolder = join(folder, 'tpm');
    await mkdir(tpmFolder);
    const trustFile = join(folder, 'trust.pem');
    await writeFile(trustFile, await manufactureTpm(tpmFolder));
    const broker = await startBrokerProcess({
      dataFolder: join(folder, 'broker'),
      referenceValues: [image.referenceValues],
      trust: [trustFile],
      port: 0,
    });
    cleanup.add(broker.close);
    const attested = await attestedMachine({ folder, image, broker, accelerator, cleanup, onDetail: () => undefined });
    const seconds = (ms: number) => Math.round(ms) / 1000;
    emit({ name: 'boot.userspace', value: seconds(attested.powerOnToUserSpaceMs), unit: 's' });
    emit({ name: 'boot.attested', value: seconds(attested.powerOnToAttestedMs), unit: 's' });
    const [, usedBytes] = await attested.machine.waitForSerial(/memory used-bytes=(\d+)/, MEMORY_TIMEOUT_MS);
    emit({ name: 'guest.ram.used', value: Number(usedBytes), unit: 'bytes' });
  } finally {
    await cleanup.run();
  }
}
