/** `cpushare image update`: what a newer lock would bring, before it is written. */
import type { CommandModule } from 'yargs';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { downloadProgress } from '../../../scripts/download-progress.ts';
import { readImageSpec } from '../../../scripts/image-spec.ts';
import { resolveLock } from '../../../scripts/lock.ts';
import { readAnyLock, writeLock } from '../../../scripts/lock-file.ts';
import { differenceOf, isUpdate } from '../../../scripts/update/difference.ts';
import { formatUpdate } from '../../../scripts/update/format.ts';
import { readNews } from '../../../scripts/update/news.ts';
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
    const before = await readAnyLock(imagePaths.lock);
    const mirrors = await mirrorsOf(given);
    const after = await resolveLock(spec, mirrors, print);
    const difference = differenceOf(before, after);
    if (!isUpdate(difference)) {
      print('Nothing to update: the lock has the packages that image.json leads to today.');
      return;
    }
    const news = await readNews(difference, after, {
      cache: cacheFolder(),
      mirrors: async () => mirrors,
      progress: downloadProgress(print),
    });
    print(`\n${formatUpdate(difference, news)}\n`);
    if (given.write) {
      await writeLock(imagePaths.lock, after);
      print(
        `Wrote ${imagePaths.lock}\nNext: npx cpushare image build, then commit image/image.json and image/image.lock.json together.`,
      );
    } else {
      print('Nothing is written. To take it: npx cpushare image update --write');
      process.exitCode = 1;
    }
  },
};
