/** `cpushare image …`: resolve, build, weigh and write the seller's image. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { readImageSource } from '../../scripts/image-source.ts';
import { resolveLock } from '../../scripts/lock.ts';
import { writeLock } from '../../scripts/lock-file.ts';
import { projectRoot } from '../../scripts/project.ts';
import { readSizes } from '../../scripts/publish.ts';
import { formatSizes } from '../../scripts/sizes.ts';
import { buildCommand } from './image/build.ts';
import { exportCommand } from './image/export.ts';
import { type FlavourArguments, flavourOption } from './image/flavour-option.ts';
import { mirrorCommand } from './image/mirror.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './image/mirror-options.ts';
import { runCommand } from './image/run.ts';
import { updateCommand } from './image/update.ts';
import { verifyBuildCommand } from './image/verify-build.ts';
import { writeCommand } from './image/write.ts';

const outputFolder = join(projectRoot, 'dist');

const print = (line: string) => console.log(line);

const lockCommand: CommandModule<object, MirrorArguments & FlavourArguments> = {
  command: 'lock',
  describe: 'Resolve image.json to exact packages and write image.lock.json',
  builder: (yargs) =>
    flavourOption(mirrorOptions(yargs)).example('$0 image lock', 'take the newest packages of the suite'),
  handler: async (given) => {
    const { spec, lockPath } = await readImageSource(projectRoot, given.flavour);
    await writeLock(lockPath, await resolveLock(spec, await mirrorsOf(given), print));
    print(`Wrote ${lockPath}`);
  },
};

const sizeCommand: CommandModule<object, FlavourArguments & { readonly json: boolean }> = {
  command: 'size',
  describe: 'Show how large each part of the built image is',
  builder: (yargs) =>
    flavourOption(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .example('$0 image size', 'weigh dist/cpushare-seller.iso and its parts'),
  handler: async ({ json, flavour }) => {
    const source = await readImageSource(projectRoot, flavour);
    const sizes = await readSizes(outputFolder, source);
    print(json ? JSON.stringify(sizes) : formatSizes(sizes, source.spec.budgets.isoBytes));
  },
};

export const imageCommand: CommandModule = {
  command: 'image',
  describe: 'Resolve, build, weigh and write the seller image',
  builder: (yargs) =>
    yargs
      .command(lockCommand)
      .command(buildCommand)
      .command(sizeCommand)
      .command(writeCommand)
      .command(exportCommand)
      .command(runCommand)
      .command(mirrorCommand)
      .command(updateCommand)
      .command(verifyBuildCommand)
      .example('$0 image build', 'from the lock to the ISO')
      .demandCommand(
        1,
        'Say what to do with the image: lock, update, build, verify-build, size, write, export, run or mirror',
      ),
  handler: () => undefined,
};
