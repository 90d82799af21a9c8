/** `cpushare image update`: what a newer lock would bring, before it is written. */
import type { CommandModule } from 'yargs';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { downloadProgress } from '../../../scripts/download-progress.ts';
import { readImageSource } from '../../../scripts/image-source.ts';
import { resolveLock } from '../../../scripts/lock.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { updateLock } from '../../../scripts/update/update.ts';
import { type FlavourArguments, flavourOption } from './flavour-option.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './mirror-options.ts';

interface Arguments extends MirrorArguments, FlavourArguments {
  readonly write: boolean;
}

const print = (line: string) => console.log(line);

export const updateCommand: CommandModule<object, Arguments> = {
  command: 'update',
  describe: 'Show what newer packages would change: versions, fixes, sizes, registers; write the lock with --write',
  builder: (yargs) =>
    flavourOption(mirrorOptions(yargs))
      .option('write', { type: 'boolean', default: false, describe: 'write image.lock.json after showing' })
      .example('$0 image update', 'look only; exit status 1 when there is something to update, 0 when not')
      .example('$0 image update --write', 'look and take it'),
  handler: async (given) => {
    const { spec, lockPath, words } = await readImageSource(projectRoot, given.flavour);
    const mirrors = await mirrorsOf(given);
    const outcome = await updateLock({
      lockPath,
      words,
      resolve: () => resolveLock(spec, mirrors, print),
      fetch: { cache: cacheFolder(), mirrors: async () => mirrors, progress: downloadProgress(print) },
      write: given.write,
      print,
    });
    if (outcome === 'shown') process.exitCode = 1;
  },
};
