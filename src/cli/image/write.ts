/** `cpushare image write`: puts the ISO on a USB stick, or says why not there. */
import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { CommandModule } from 'yargs';
import { projectRoot } from '../../../scripts/project.ts';
import { bytesWithConfiguration, configurationPartition } from '../../../scripts/stick/configuration-partition.ts';
import type { WriteInput, WriteState } from '../../../scripts/stick/write-input.ts';
import { writeStick } from '../../../scripts/write-stick.ts';
import { type Disk, listDisks, locateDisk } from '../../../scripts/write-stick-disk.ts';
import { deviceNumber, openFailure } from '../../../scripts/write-stick-open.ts';
import { stickProgress } from '../../../scripts/write-stick-progress.ts';
import { refusalOf, StickError, sayDisk, sayLoss, type Wanted } from '../../../scripts/write-stick-rules.ts';
import { readConfigurationFile } from './configuration-file.ts';

const BUILT_ISO = join(projectRoot, 'dist/cpushare-seller.iso');

interface WriteArguments {
  readonly device?: string | undefined;
  readonly iso: string;
  readonly configuration?: string | undefined;
  readonly forceFixed?: string | undefined;
  readonly yes: boolean;
}

export const writeCommand: CommandModule<object, WriteArguments> = {
  command: 'write [device]',
  describe: 'Write the ISO to a USB stick and read it back; without a device: list the sticks',
  builder: (yargs) =>
    yargs
      .positional('device', { type: 'string', describe: 'the disk, such as /dev/sdb: all that is on it will be lost' })
      .option('iso', {
        type: 'string',
        requiresArg: true,
        default: BUILT_ISO,
        defaultDescription: 'dist/cpushare-seller.iso',
        describe: 'the image to write',
      })
      .option('configuration', {
        type: 'string',
        requiresArg: true,
        describe: 'a cpushare.json to put into a partition labelled CPUSHARE behind the ISO',
      })
      .option('force-fixed', {
        type: 'string',
        requiresArg: true,
        describe: 'allow a disk that is not removable, by naming it once more',
      })
      .option('yes', { type: 'boolean', default: false, describe: 'do not ask (for scripts)' })
      .example('$0 image write', 'list the removable disks')
      .example('$0 image write /dev/sdb', 'write dist/cpushare-seller.iso to the stick (with sudo)'),
  handler: async ({ device, iso, configuration: file, forceFixed, yes }) => {
    if (device === undefined) return listSticks(iso);
    const isoBytes = await isoSize(iso);
    const configuration = file === undefined ? undefined : await readConfigurationFile(file);
    const wanted = { isoBytes: configuration === undefined ? isoBytes : bytesWithConfiguration(isoBytes), forceFixed };
    const disk = await mayBeWritten(device, wanted);
    await access(disk.path, constants.R_OK | constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
      throw openFailure(disk.path, cause);
    });
    console.log(sayLoss(disk).join('\n'));
    if (!yes) await confirm(disk);
    if (JSON.stringify(await mayBeWritten(device, wanted)) !== JSON.stringify(disk)) {
      throw new StickError('STICK_CHANGED', `${disk.path} is not the same as when you were asked`, {
        nextStep: 'look at what is said of it now, and run the command again',
      });
    }
    const input = { iso, isoBytes, diskBytes: disk.sizeBytes };
    const changes =
      configuration === undefined ? [] : await configurationPartition({ ...input, configuration: configuration.bytes });
    const holds =
      configuration === undefined
        ? `all ${isoBytes} bytes as in the ISO`
        : `the ISO, and a partition CPUSHARE for ${configuration.broker}`;
    await write({ disk, iso, isoBytes, changes }, holds);
  },
};

async function write(input: Omit<WriteInput, 'progress' | 'signal'>, holds: string): Promise<void> {
  const { disk } = input;
  const stop = new AbortController();
  const interrupted = () => {
    if (stop.signal.aborted) process.exit(130);
    console.error(`\nInterrupted: ${disk.path} cannot be used as it is. Waiting for it (again Ctrl-C: end at once).`);
    stop.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  // Not once: execa ends the process by itself, as it reads back, where it sees nobody else listen.
  for (const name of signals) process.on(name, interrupted);
  try {
    const show = stickProgress(process.stdout, () => performance.now());
    const progress = (state: WriteState) => {
      if (!stop.signal.aborted) show(state);
    };
    const sha256 = await writeStick({ ...input, progress, signal: stop.signal });
    console.log(`${disk.path} is ready: read back, ${holds} (SHA-256 ${sha256})`);
  } catch (error) {
    if (process.stdout.isTTY === true && !stop.signal.aborted) process.stdout.write('\n'); // out of the progress line
    throw error;
  } finally {
    for (const name of signals) process.off(name, interrupted);
  }
}

async function mayBeWritten(device: string, wanted: Wanted): Promise<Disk> {
  const located = await locateDisk(await deviceNumber(device));
  if (located === undefined) {
    throw new StickError('STICK_NOT_A_DISK', `the kernel knows no disk ${device}`, {
      nextStep: 'name the disk as lsblk shows it, such as /dev/sdb',
    });
  }
  const refusal = refusalOf(located, wanted);
  if (refusal !== undefined) throw refusal;
  return located.disk;
}

async function confirm(disk: Disk): Promise<void> {
  if (process.stdin.isTTY !== true) {
    throw new StickError('STICK_UNCONFIRMED', `nobody can be asked whether ${disk.path} may be overwritten`, {
      nextStep: 'run it in a terminal, or add --yes',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const left = new AbortController();
  terminal.once('close', () => left.abort()); // Ctrl-C, Ctrl-D
  const asked = terminal.question(`Type ${disk.name} to overwrite it: `, { signal: left.signal });
  const answer = await asked.catch(() => '');
  terminal.close();
  if (answer.trim() === disk.name) return;
  throw new StickError('STICK_UNCONFIRMED', `not confirmed: nothing was written to ${disk.path}`, {
    nextStep: `run it again and type ${disk.name}`,
  });
}

async function isoSize(iso: string): Promise<number> {
  const found = await stat(iso).catch((cause: unknown) => {
    throw new StickError('ISO_MISSING', `there is no ${iso}`, {
      cause,
      nextStep: 'build it (npx cpushare image build), or name one with --iso',
    });
  });
  if (found.isFile() && found.size > 0) return found.size;
  throw new StickError('ISO_UNREADABLE', `${iso} is ${found.isFile() ? 'empty' : 'no file'}`, {
    nextStep: 'build the ISO again (npx cpushare image build)',
  });
}

/** Fixed disks are not shown at all: nobody shall pick one by mistake. */
async function listSticks(iso: string): Promise<void> {
  const isoBytes = (await stat(iso).catch(() => undefined))?.size ?? 0;
  const sticks = (await listDisks()).filter((disk) => disk.removable && !disk.optical && disk.sizeBytes > 0);
  if (sticks.length === 0) console.log('No removable disk found. Put a stick in, and run this again.');
  for (const disk of sticks) {
    const refusal = refusalOf({ disk, partition: undefined }, { isoBytes, forceFixed: undefined });
    console.log(`${disk.path}  ${sayDisk(disk)}${refusal === undefined ? '' : `  (not now: ${refusal.message})`}`);
  }
  if (sticks.length > 0) console.log('Write one with: sudo npx cpushare image write DEVICE');
}
