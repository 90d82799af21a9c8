/** `cpushare image run`: the ISO in a virtual machine of a chosen shape, with its screen, until it ends or Ctrl-C. */
import { access, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { projectRoot } from '../../../scripts/project.ts';
import { chooseAccelerator } from '../../../scripts/run/accelerator.ts';
import { writeConfigurationVolume } from '../../../scripts/run/configuration-volume.ts';
import { type Machine, startMachine } from '../../../scripts/run/machine.ts';
import type { Accelerator } from '../../../scripts/run/machine-arguments.ts';
import { type Hardware, type Shape, shapeNamed, shapeNames, shapes } from '../../../scripts/run/shapes.ts';
import { CodedError } from '../../shared/errors.ts';
import { lockFolder } from '../../shared/folder-lock-node.ts';
import { createCleanup } from '../demo/cleanup.ts';
import { buildForDemo } from '../demo/image.ts';
import { chooseScreen, displayOf, readDisplayFacts, type Screen, screens } from './run-display.ts';
import { followMachine } from './run-follow.ts';

export class RunError extends CodedError<'ISO_MISSING' | 'TPM_IN_USE' | 'CONFIGURATION_FILE_UNREADABLE'> {}

interface RunArguments {
  readonly shape: string;
  readonly iso: string;
  readonly tpm: string;
  readonly configuration?: string | undefined;
  readonly memory?: number | undefined;
  readonly accelerator?: Accelerator | undefined;
  readonly display?: Screen | undefined;
  readonly list: boolean;
}

/** Below it the firmware itself does not start. */
const LEAST_MEMORY_MIB = 128;

const print = (line: string) => console.log(line);

export const runCommand: CommandModule<object, RunArguments> = {
  command: 'run',
  describe: 'Start the ISO in a virtual machine of a chosen shape and show its screen',
  builder: (yargs) =>
    yargs
      .option('shape', {
        type: 'string',
        requiresArg: true,
        default: 'uefi-usb',
        describe: 'which machine; see --list',
      })
      .option('iso', {
        type: 'string',
        requiresArg: true,
        default: join(projectRoot, 'dist/cpushare-seller.iso'),
        defaultDescription: 'dist/cpushare-seller.iso',
        describe: 'the image to start',
      })
      .option('tpm', {
        type: 'string',
        requiresArg: true,
        default: join(projectRoot, 'dist/run/tpm'),
        defaultDescription: 'dist/run/tpm',
        describe: 'folder of its software TPM, kept from run to run; none: no TPM',
      })
      .option('configuration', {
        type: 'string',
        requiresArg: true,
        describe: 'a cpushare.json, put on a second stick; a broker on this computer is https://10.0.2.2:PORT',
      })
      .option('memory', { type: 'number', requiresArg: true, describe: 'MiB, instead of what the shape has' })
      .option('accelerator', { choices: ['kvm', 'tcg'] as const, requiresArg: true, describe: 'instead of trying KVM' })
      .option('display', {
        choices: screens,
        requiresArg: true,
        describe: 'where its screen goes; serial prints its serial port',
        defaultDescription: 'a window, else the terminal',
      })
      .check(({ memory }) => {
        if (memory === undefined || (Number.isInteger(memory) && memory >= LEAST_MEMORY_MIB)) return true;
        return `--memory takes whole MiB, ${LEAST_MEMORY_MIB} at least`;
      })
      .option('list', { type: 'boolean', default: false, describe: 'print the shapes' })
      .example('$0 image run', 'as a seller’s PC would start from the stick')
      .example('$0 image run --shape virtualbox --display serial', 'as VirtualBox would; lines instead of a screen'),
  handler: (given) => (given.list ? list() : run(given)),
};

function list(): void {
  const width = Math.max(...shapeNames.map((name) => name.length));
  for (const name of shapeNames) {
    const { summary, networkCard, memoryMiB }: Shape = shapes[name];
    print(`${name.padEnd(width)}  ${summary} (${networkCard}, ${memoryMiB} MiB)`);
  }
}

async function run(given: RunArguments): Promise<void> {
  const hardware = hardwareOf(given);
  await access(given.iso).catch((cause: unknown) => {
    throw new RunError('ISO_MISSING', `there is no ${given.iso}`, {
      cause,
      nextStep: 'build it (npx cpushare image build), or name one with --iso',
    });
  });
  const screen = chooseScreen(given.display, await readDisplayFacts(hardware.firmware === 'bios'));
  const cleanup = createCleanup();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'cpushare-run-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    const accelerator = given.accelerator ?? (await accelerate(hardware));
    const tpmFolder = hardware.tpm === 'none' ? null : await takeTpm(resolve(given.tpm), cleanup.add);
    const machine = await startMachine({
      ...hardware,
      folder,
      iso: resolve(given.iso),
      accelerator,
      tpmFolder,
      configurationVolume: given.configuration === undefined ? null : await volumeOf(given.configuration, folder),
      display: displayOf(screen),
    });
    cleanup.add(machine.close);
    print(`${given.shape}: ${await whereToLook(screen, machine)}. Ctrl-C switches the machine off.`);
    await followMachine(machine, screen, cleanup.untilInterrupted);
  } finally {
    await cleanup.run();
  }
}

function hardwareOf(given: RunArguments): Hardware {
  const shape = shapeNamed(given.shape);
  return {
    ...shape,
    tpm: given.tpm === 'none' ? 'none' : shape.tpm,
    memoryMiB: given.memory ?? shape.memoryMiB,
  };
}

async function accelerate(hardware: Hardware): Promise<Accelerator> {
  const { accelerator, reason } = await chooseAccelerator(hardware);
  print(`${accelerator === 'kvm' ? 'KVM' : 'Software emulation'}: ${reason}`);
  return accelerator;
}

/** Two machines with one TPM would be one machine in two places, and would spoil its state. */
async function takeTpm(folder: string, whenDone: (close: () => Promise<void>) => void): Promise<string> {
  await mkdir(folder, { recursive: true });
  const release = await lockFolder('tpm', await realpath(folder));
  if (release === null) {
    throw new RunError('TPM_IN_USE', `another machine runs with the TPM in ${folder}`, {
      nextStep: 'end that machine, or give this one a TPM of its own: --tpm FOLDER',
    });
  }
  whenDone(release);
  print(`TPM: ${relative(process.cwd(), folder)} (the machine keeps its identity there)`);
  return folder;
}

async function volumeOf(file: string, folder: string): Promise<string> {
  const text = await readFile(file).catch((cause: unknown) => {
    throw new RunError('CONFIGURATION_FILE_UNREADABLE', `cannot read ${file}`, { cause });
  });
  const { tools } = await buildForDemo(() => undefined);
  return writeConfigurationVolume(tools, folder, text);
}

async function whereToLook(screen: Screen, machine: Machine): Promise<string> {
  switch (screen) {
    case 'gtk':
      return 'its screen is in the window';
    case 'curses':
      return 'its screen is in this terminal';
    case 'serial':
      return 'below is what it says on its serial port';
    case 'none':
      return `it runs without a screen; its serial port is in ${machine.serialLog}`;
    case 'vnc': {
      const { host, service } = (await machine.qmp.execute('query-vnc')) as { host: string; service: string };
      return `its screen is at vnc://${host}:${service}, from this computer only`;
    }
    default:
      return screen satisfies never;
  }
}
