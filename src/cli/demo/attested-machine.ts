/** Boots the image against a broker and waits for the verdict. */
import { join } from 'node:path';
import { writeConfigurationVolume } from '../../../scripts/run/configuration-volume.ts';
import { type Machine, MachineError, type MachineOptions, startMachine } from '../../../scripts/run/machine.ts';
import type { Accelerator } from '../../../scripts/run/machine-arguments.ts';
import { shapes } from '../../../scripts/run/shapes.ts';
import { waitFor } from '../../../scripts/run/wait.ts';
import type { ReportDocument } from '../../protocol/messages.ts';
import { type BrokerClient, createBrokerClient } from '../broker-client.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { Cleanup } from './cleanup.ts';
import type { DemoImage } from './image.ts';

/** Software emulation on a slow host takes a minute; firmware sometimes stalls 15 s. */
const ATTEST_TIMEOUT_MS = 300_000;
const MEMORY_MIB = 1024;
/** What the guest calls the host's loopback under QEMU's user network. */
const HOST_FROM_GUEST = '10.0.2.2';

export interface AttestedMachine {
  readonly attestation: 'accepted' | 'refused';
  readonly report: ReportDocument;
  /** Until the first word of our user space on the serial port. */
  readonly powerOnToUserSpaceMs: number;
  readonly powerOnToAttestedMs: number;
  readonly machine: Machine;
}

export interface AttestedMachineOptions {
  readonly folder: string;
  readonly image: DemoImage;
  readonly broker: BrokerProcess;
  readonly accelerator: Accelerator;
  readonly cleanup: Cleanup;
  readonly onDetail: (text: string) => void;
}

export async function attestedMachine(options: AttestedMachineOptions): Promise<AttestedMachine> {
  const { folder, image, broker } = options;
  const configurationVolume = await writeConfigurationVolume(image.tools, folder, {
    broker: `https://${HOST_FROM_GUEST}:${broker.port}`,
    brokerPin: broker.brokerId,
  });
  const machineOptions: MachineOptions = {
    folder: join(folder, 'machine'),
    tpmFolder: join(folder, 'tpm'),
    iso: image.iso,
    ...shapes['uefi-cd'],
    accelerator: options.accelerator,
    memoryMiB: MEMORY_MIB,
    configurationVolume,
  };
  const client = createBrokerClient(broker);
  const known = await client.machines();
  const since = new Map(known.machines.map((machine) => [machine.machineId, machine.lastSeenAt]));
  try {
    return await bootAndWait(machineOptions, client, since, options);
  } catch (error) {
    const broken = error instanceof MachineError && error.code === 'MACHINE_ACCELERATOR_BROKEN';
    if (!broken || options.accelerator === 'tcg') throw error;
    options.onDetail(`${error.message}; starting again with software emulation`);
    return await bootAndWait({ ...machineOptions, accelerator: 'tcg' }, client, since, options);
  }
}

async function bootAndWait(
  machineOptions: MachineOptions,
  client: BrokerClient,
  since: ReadonlyMap<string, string>,
  { cleanup, onDetail }: AttestedMachineOptions,
): Promise<AttestedMachine> {
  const machine = await startMachine(machineOptions);
  cleanup.add(machine.close);
  const narrator = createNarrator(machine, onDetail);
  const judged = await waitFor(
    async () => {
      await narrator.listen();
      const { machines } = await client.machines();
      return machines.find(
        ({ machineId, attestation, lastSeenAt }) =>
          (attestation === 'accepted' || attestation === 'refused') && since.get(machineId) !== lastSeenAt,
      );
    },
    {
      what: 'waiting for the machine to be attested',
      timeoutMs: ATTEST_TIMEOUT_MS,
      whileRunning: machine.process,
      nextStep: `read what the machine said: ${machine.serialLog}`,
    },
  );
  const powerOnToAttestedMs = performance.now() - machine.poweredOnAtMs;
  const report = await client.report(judged.machineId);
  return {
    attestation: judged.attestation === 'accepted' ? 'accepted' : 'refused',
    report,
    powerOnToUserSpaceMs: narrator.firstHeardMs(),
    powerOnToAttestedMs,
    machine,
  };
}

interface Narrator {
  /** Shows each new status line of the machine once; throws when its accelerator has stopped it. */
  listen(): Promise<void>;
  /** Milliseconds from power-on to the first status line. */
  firstHeardMs(): number;
}

function createNarrator(machine: Machine, onDetail: (text: string) => void): Narrator {
  let shown = 0;
  let firstMs = Number.NaN;
  return {
    async listen() {
      await machine.refuseBrokenAccelerator();
      const lines = [...(await machine.serialText()).matchAll(/cpushare: (.+?)\r?$/gm)];
      // GRUB speaks in sentences before; our programs say key=value.
      const heard = lines.some((line) => /^[a-z-]+=/.test(line[1] ?? ''));
      if (heard && Number.isNaN(firstMs)) firstMs = performance.now() - machine.poweredOnAtMs;
      for (const line of lines.slice(shown)) onDetail(line[1] ?? '');
      shown = lines.length;
    },
    firstHeardMs: () => firstMs,
  };
}
