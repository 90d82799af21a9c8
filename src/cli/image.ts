/** `cpushare image …`: resolve, build, weigh and write the seller's image. */
import type { CommandModule } from 'yargs';
import { readImageSource } from '../../scripts/image-source.ts';
import { resolveLock } from '../../scripts/lock.ts';
import { writeLock } from '../../scripts/lock-file.ts';
import { projectRoot } from '../../scripts/project.ts';
import { buildCommand } from './image/build.ts';
import { exportCommand } from './image/export.ts';
import { type FlavourArguments, flavourOption } from './image/flavour-option.ts';
import { hardwareCommand } from './image/hardware.ts';
import { mirrorCommand } from './image/mirror.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './image/mirror-options.ts';
import { runCommand } from './image/run.ts';
import { sizeCommand } from './image/size.ts';
import { updateCommand } from './image/update.ts';
import { verifyBuildCommand } from './image/verify-build.ts';
import { writeCommand } from './image/write.ts';

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

export const imageCommand: CommandModule = {
  command: 'image',
  describe: 'Resolve, build, weigh and write the seller image',
  builder: (yargs) =>
    yargs
      .command(lockCommand)
      .command(buildCommand)
      .command(sizeCommand)
      .command(hardwareCommand)
      .command(writeCommand)
      .command(exportCommand)
      .command(runCommand)
      .command(mirrorCommand)
      .command(updateCommand)
      .command(verifyBuildCommand)
      .example('$0 image build', 'from the lock to the ISO')
      .demandCommand(
        1,
        'Say what to do with the image: lock, update, build, verify-build, size, hardware, write, export, run or mirror',
      ),
  handler: () => undefined,
};
