/** `cpushare image mirror FOLDER`: what the lock names, kept for the day when no mirror has it any more. */
import { join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { downloadProgress } from '../../../scripts/download-progress.ts';
import { readImageSpec } from '../../../scripts/image-spec.ts';
import { readLock } from '../../../scripts/lock-file.ts';
import { mirrorLock } from '../../../scripts/mirror.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './mirror-options.ts';
import { imagePaths } from './paths.ts';

interface Arguments extends MirrorArguments {
  readonly folder: string;
}

export const mirrorCommand: CommandModule<object, Arguments> = {
  command: 'mirror <folder>',
  describe: 'Copy all packages of image.lock.json to a folder that `image build --mirror` takes',
  builder: (yargs) =>
    mirrorOptions(
      yargs.positional('folder', {
        type: 'string',
        demandOption: true,
        describe: 'gets debian/pool/… and debian-security/pool/…; may be served over HTTP as it is',
      }),
    )
      .example('$0 image mirror /srv/keep', 'keep what this lock needs')
      .example('$0 image build --mirror file:///srv/keep', 'build from it years later, without a network'),
  handler: async (given) => {
    const lock = await readLock(imagePaths.lock, await readImageSpec(imagePaths.spec));
    const folder = resolve(given.folder);
    const done = await mirrorLock(lock, {
      folder,
      cache: cacheFolder(),
      mirrors: () => mirrorsOf(given),
      progress: downloadProgress((line) => console.log(line)),
    });
    console.log(
      `${done.copied} packages copied, ${done.kept} were there already: ${done.totalBytes} bytes in ${folder}\n` +
        `Build from it: npx cpushare image build --mirror ${folder}\n` +
        `Over HTTP, name the folder debian: --mirror https://HOST/debian (beside it, ${join(folder, 'debian-security')})`,
    );
  },
};
