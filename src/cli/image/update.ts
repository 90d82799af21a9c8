/** `cpushare image update`: what a newer lock would bring, before it is written. */
import type { CommandModule } from 'yargs';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { downloadProgress } from '../../../scripts/download-progress.ts';
import { readImageSpec } from '../../../scripts/image-spec.ts';
import { resolveLock } from '../../../scripts/lock.ts';
import { updateLock } from '../../../scripts/update/update.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './mirror-options.ts';
import { imagePaths } from './paths.ts';

interface Arguments extends MirrorArguments {
  readonly write: boolean;
}

const print = (line: string) => console.log(line);

export const updateCommand: CommandModule<object, Arguments> = {
  command: 'update',
  describe: 'Show what newer packages would change: versions, fixes, sizes, registers; write the lock with --write',
  builder: (yargs) =>
    mirrorOptions(yargs)
      .option('write', { type: 'boolean', default: false, describe: 'write image.lock.json after showing' })
      .example('$0 image update', 'look only; exit status 1 when there is something to update, 0 when not')
      .example('$0 image update --write', 'look and take it'),
  handler: async (given) => {
    const spec = await readImageSpec(imagePaths.spec);
    const mirrors = await mirrorsOf(given);
    const outcome = await updateLock({
      lockPath: imagePaths.lock,
      resolve: () => resolveLock(spec, mirrors, print),
      fetch: { cache: cacheFolder(), mirrors: async () => mirrors, progress: downloadProgress(print) },
      write: given.write,
      print,
    });
    if (outcome === 'shown') process.exitCode = 1;
  },
};
