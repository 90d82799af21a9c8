/**
 * Size against time: the image built in several compressions and each started several times, in turn, in one machine, from
 * power-on to the first words of the sell client, so of a running Node.js. The best time and the least memory count: what
 * else this computer does only ever adds. docs/size.md says what was chosen.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseMirrors } from '../../../scripts/apt/mirrors.ts';
import { type BuiltImage, buildImage } from '../../../scripts/build.ts';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { CompressionError } from '../../../scripts/compression.ts';
import { type ImageSource, lockOf, readImageSource } from '../../../scripts/image-source.ts';
import { imageSpecSha256 } from '../../../scripts/image-spec.ts';
import { writeLock } from '../../../scripts/lock-file.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { chooseAccelerator } from '../../../scripts/run/accelerator.ts';
import { writeConfigurationVolume } from '../../../scripts/run/configuration-volume.ts';
import { type MachineOptions, startMachine } from '../../../scripts/run/machine.ts';
import { type Hardware, shapes } from '../../../scripts/run/shapes.ts';
import { manufactureTpm } from '../../../scripts/run/swtpm.ts';
import { startBrokerProcess } from '../demo/broker-process.ts';
import { type Cleanup, createCleanup } from '../demo/cleanup.ts';
import { benchFolder } from './bench-folder.ts';
import { compressionTable, type Row } from './compression-table.ts';
import { type Variant, variantsBeside } from './compression-variants.ts';
import { type Emit, secondsSince } from './figure.ts';

const ROUNDS = 3;
/** The unpacked root of some does not fit beside itself into the smallest machine. */
const hardware: Hardware = { ...shapes['uefi-usb'], memoryMiB: 1024 };
const BOOT_TIMEOUT_MS = 600_000;
const NODE_RUNS = /cpushare: [a-z-]+=/;
const MEMORY = /cpushare: memory used-bytes=(\d+)/;

export async function benchCompression(emit: Emit): Promise<void> {
  const cleanup = createCleanup();
  try {
    const folder = await benchFolder(cleanup);
    const declared = await readImageSource(projectRoot);
    const built = await buildVariants(declared, folder);
    const machine = await machineFor(built, folder, cleanup);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const one of built) {
        const found = await boot({ ...machine, iso: one.image.iso }, cleanup);
        console.error(`start ${round + 1} of ${ROUNDS} of ${one.variant.name}: ${found.seconds} s`);
        one.boots.push(found);
      }
    }
    const rows = built.map(rowOf);
    for (const row of rows) emitRow(row, emit);
    console.error(compressionTable(rows, declared.spec.budgets.isoBytes));
  } finally {
    await cleanup.run();
  }
}

interface BuiltVariant {
  readonly variant: Variant;
  readonly image: BuiltImage;
  readonly buildSeconds: number;
  readonly boots: Boot[];
}

/** Steps that compression does not touch are done once for all. */
async function buildVariants(declared: ImageSource, folder: string): Promise<BuiltVariant[]> {
  const built: BuiltVariant[] = [];
  for (const variant of variantsBeside(declared.spec)) {
    console.error(`building ${variant.name}`);
    const startMs = performance.now();
    try {
      const image = await buildImage({
        projectRoot,
        outputFolder: folder,
        cacheFolder: cacheFolder(),
        mirrors: () => chooseMirrors({}),
        progress: () => undefined,
        source: await sourceOf(declared, variant, folder),
      });
      built.push({ variant, image, buildSeconds: secondsSince(startMs), boots: [] });
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      console.error(`skipped ${variant.name}: ${error.message}`);
    }
  }
  return built;
}

/** The image as declared, but so compressed, with files of its own and no budget. */
async function sourceOf(declared: ImageSource, variant: Variant, folder: string): Promise<ImageSource> {
  const { squashfs, initrd, name } = variant;
  const budgets = { isoBytes: Number.MAX_SAFE_INTEGER, partBytes: {} };
  const spec = { ...declared.spec, squashfs, initrd, budgets };
  const lockPath = join(folder, `${name}.lock.json`);
  await writeLock(lockPath, { ...(await lockOf(declared)), imageSpecSha256: imageSpecSha256(spec) });
  const outputs = Object.entries(declared.outputs).map(([kind, file]) => [kind, `${name}.${file}`]);
  return { ...declared, spec, lockPath, outputs: Object.fromEntries(outputs) as ImageSource['outputs'] };
}

/** One machine for all, with one TPM and one broker that knows all of them. */
async function machineFor(
  built: readonly BuiltVariant[],
  folder: string,
  cleanup: Cleanup,
): Promise<Omit<MachineOptions, 'iso'>> {
  const tpmFolder = join(folder, 'tpm');
  const trustFile = join(folder, 'trust.pem');
  const [first] = built;
  if (first === undefined) throw new Error('no variant was built');
  await writeFile(trustFile, await manufactureTpm(tpmFolder));
  const broker = await startBrokerProcess({
    dataFolder: join(folder, 'broker'),
    referenceValues: built.map(({ image }) => image.referenceValues),
    trust: [trustFile],
    port: 0,
  });
  cleanup.add(broker.close);
  const configurationVolume = await writeConfigurationVolume(first.image.tools, folder, {
    broker: `https://10.0.2.2:${broker.port}`,
    brokerPin: broker.brokerId,
  });
  const { accelerator } = await chooseAccelerator(hardware);
  return { ...hardware, accelerator, configurationVolume, tpmFolder, folder: join(folder, 'machine') };
}

interface Boot {
  readonly seconds: number;
  /** Of processor time that QEMU took for it. */
  readonly cpuSeconds: number;
  readonly usedBytes: number;
}

async function boot(options: MachineOptions, cleanup: Cleanup): Promise<Boot> {
  const machine = await startMachine(options);
  cleanup.add(machine.close);
  try {
    await machine.waitForSerial(NODE_RUNS, BOOT_TIMEOUT_MS);
    const seconds = secondsSince(machine.poweredOnAtMs);
    const cpuSeconds = await cpuSecondsOf(machine.process.pid);
    const [, usedBytes] = await machine.waitForSerial(MEMORY, BOOT_TIMEOUT_MS);
    // What the build predicted of this image is what its machine's TPM says.
    await machine.waitForSerial(/cpushare: attestation=accepted/, BOOT_TIMEOUT_MS);
    return { seconds, cpuSeconds, usedBytes: Number(usedBytes) };
  } finally {
    await machine.close();
  }
}

/** proc_pid_stat(5): utime and stime, in hundredths of a second. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function rowOf({ variant, image, buildSeconds, boots }: BuiltVariant): Row {
  const bytesOf = (name: string) => image.sizes.find((one) => one.name === name)?.bytes ?? Number.NaN;
  return {
    name: variant.name,
    isoBytes: bytesOf('iso'),
    initrdBytes: bytesOf('initrd'),
    buildSeconds,
    nodeSeconds: Math.min(...boots.map(({ seconds }) => seconds)),
    slowestSeconds: Math.max(...boots.map(({ seconds }) => seconds)),
    cpuSeconds: Math.min(...boots.map((one) => one.cpuSeconds)),
    usedBytes: Math.min(...boots.map(({ usedBytes }) => usedBytes)),
  };
}

function emitRow(row: Row, emit: Emit): void {
  const name = `compression.${row.name}`;
  emit({ name: `${name}.iso.bytes`, value: row.isoBytes, unit: 'bytes' });
  emit({ name: `${name}.initrd.bytes`, value: row.initrdBytes, unit: 'bytes' });
  emit({ name: `${name}.ram.bytes`, value: row.usedBytes, unit: 'bytes' });
  emit({ name: `${name}.boot.node`, value: row.nodeSeconds, unit: 's' });
  emit({ name: `${name}.boot.node.cpu`, value: row.cpuSeconds, unit: 's' });
  emit({ name: `${name}.build`, value: row.buildSeconds, unit: 's' });
}
