/**
 * Our image beside those of other builders, in one run on one machine: the same QEMU, firmware, memory, TPM and stick. Secure
 * Boot is off, since mkosi's image is not signed by anyone whom firmware knows. A peer that cannot be built is named and left out.
 */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseAccelerator } from '../../../scripts/run/accelerator.ts';
import { writeConfigurationVolume } from '../../../scripts/run/configuration-volume.ts';
import { type Machine, type MachineOptions, startMachine } from '../../../scripts/run/machine.ts';
import { type Hardware, shapes } from '../../../scripts/run/shapes.ts';
import { manufactureTpm } from '../../../scripts/run/swtpm.ts';
import { startBrokerProcess } from '../demo/broker-process.ts';
import { type Cleanup, createCleanup } from '../demo/cleanup.ts';
import { buildForDemo } from '../demo/image.ts';
import { benchFolder } from './bench-folder.ts';
import { type Emit, secondsSince } from './figure.ts';
import { buildPeer, PeerSkipped, peers } from './peer-build.ts';

const hardware: Hardware = { ...shapes['uefi-usb'], firmware: 'uefi', memoryMiB: 1024 };
const BOOT_TIMEOUT_MS = 600_000;

/** What a system says on the serial port when its first own process runs, and when it has told its memory. */
interface Marks {
  readonly firstProcess: RegExp;
  readonly memory: RegExp;
}

/** Ours speaks first as the sell client, which comes later than process 1: the figure is not in our favour. */
const OUR_MARKS: Marks = {
  firstProcess: /cpushare: [a-z-]+=/,
  memory: /cpushare: memory used-bytes=(\d+)((?: [a-z]+-bytes=\d+)+)\s/,
};
const PEER_MARKS: Marks = { firstProcess: /bench: first process/, memory: /bench: memory used-bytes=(\d+)/ };

export async function benchPeers(emit: Emit): Promise<void> {
  const cleanup = createCleanup();
  const { accelerator } = await chooseAccelerator(hardware);
  const base = { ...hardware, accelerator, configurationVolume: null };
  try {
    const folder = await benchFolder(cleanup);
    const own = await measure({ ...base, ...(await ourMachine(folder, cleanup)) }, OUR_MARKS, cleanup);
    emit({ name: 'iso.bytes', value: own.bytes, unit: 'bytes' });
    emit({ name: 'ram.after_boot.bytes', value: own.usedBytes, unit: 'bytes' });
    for (const [part, bytes] of own.usedParts) {
      emit({ name: `ram.after_boot.${part}.bytes`, value: bytes, unit: 'bytes' });
    }
    emit({ name: 'peer.cpushare.boot.userspace', value: own.firstProcessSeconds, unit: 's' });
    for (const peer of peers) {
      try {
        const iso = await buildPeer(peer, cleanup, (line) => console.error(line));
        const figures = await measure({ ...base, iso, ...places(folder, peer.name) }, PEER_MARKS, cleanup);
        emit({ name: `peer.${peer.name}.iso.bytes`, value: figures.bytes, unit: 'bytes' });
        emit({ name: `peer.${peer.name}.ram.bytes`, value: figures.usedBytes, unit: 'bytes' });
        emit({ name: `peer.${peer.name}.boot.userspace`, value: figures.firstProcessSeconds, unit: 's' });
      } catch (error) {
        if (!(error instanceof PeerSkipped)) throw error;
        console.error(`skipped peer.${peer.name}: ${error.message}`);
      }
    }
  } finally {
    await cleanup.run();
  }
}

const places = (folder: string, name: string) => ({
  folder: join(folder, name),
  tpmFolder: join(folder, `${name}-tpm`),
});

/** Our client tells its memory after the broker's word, whatever that is: here a refusal, for Secure Boot is off. */
async function ourMachine(
  folder: string,
  cleanup: Cleanup,
): Promise<Pick<MachineOptions, 'iso' | 'configurationVolume' | 'folder' | 'tpmFolder'>> {
  const image = await buildForDemo(() => undefined);
  const ours = places(folder, 'cpushare');
  const trustFile = join(folder, 'trust.pem');
  await writeFile(trustFile, await manufactureTpm(ours.tpmFolder));
  const broker = await startBrokerProcess({
    dataFolder: join(folder, 'broker'),
    referenceValues: [image.referenceValues],
    trust: [trustFile],
    port: 0,
  });
  cleanup.add(broker.close);
  const configurationVolume = await writeConfigurationVolume(image.tools, folder, {
    broker: `https://10.0.2.2:${broker.port}`,
    brokerPin: broker.brokerId,
  });
  return { ...ours, iso: image.iso, configurationVolume };
}

interface Measured {
  readonly bytes: number;
  readonly firstProcessSeconds: number;
  readonly usedBytes: number;
  /** By name; only our client tells them. */
  readonly usedParts: readonly (readonly [string, number])[];
}

async function measure(options: MachineOptions, marks: Marks, cleanup: Cleanup): Promise<Measured> {
  const machine: Machine = await startMachine(options);
  cleanup.add(machine.close);
  try {
    await machine.waitForSerial(marks.firstProcess, BOOT_TIMEOUT_MS);
    const firstProcessSeconds = secondsSince(machine.poweredOnAtMs);
    const [, usedBytes, parts = ''] = await machine.waitForSerial(marks.memory, BOOT_TIMEOUT_MS);
    const { size } = await stat(options.iso);
    const usedParts = [...parts.matchAll(/([a-z]+)-bytes=(\d+)/g)].map(([, name = '', bytes]) => {
      return [name, Number(bytes)] as const;
    });
    return { bytes: size, firstProcessSeconds, usedBytes: Number(usedBytes), usedParts };
  } finally {
    await machine.close();
  }
}
