/** `cpushare image mirror FOLDER`: what the lock names, kept for the day when no mirror has it any more. */
import { join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { downloadProgress } from '../../../scripts/download-progress.ts';
import { lockOf, readImageSource } from '../../../scripts/image-source.ts';
import { mirrorLock } from '../../../scripts/mirror.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { type FlavourArguments, flavourOption } from './flavour-option.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './mirror-options.ts';

interface Arguments extends MirrorArguments, FlavourArguments {
  readonly folder: string;
}

export const mirrorCommand: CommandModule<object, Arguments> = {
  command: 'mirror <folder>',
  describe: 'Copy all packages of image.lock.json to a folder that `image build --mirror` takes',
  builder: (yargs) =>
    flavourOption(
      mirrorOptions(
        yargs.positional('folder', {
          type: 'string',
          demandOption: true,
          describe: 'gets debian/pool/… and debian-security/pool/…; may be served over HTTP as it is',
        }),
      ),
    )
      .example('$0 image mirror /srv/keep', 'keep what this lock needs')
      .example('$0 image build --mirror file:///srv/keep', 'build from it years later, without a network'),
  handler: async (given) => {
    const source = await readImageSource(projectRoot, given.flavour);
    const lock = await lockOf(source);
    const folder = resolve(given.folder);
    const done = await mirrorLock(lock, {
      folder,
      cache: cacheFolder(),
      mirrors: () => mirrorsOf(given),
      progress: downloadProgress((line) => console.log(line)),
    });
    console.log(
      `${done.copied} packages copied, ${done.kept} were there already: ${done.totalBytes} bytes in ${folder}\n` +
        `Build from it: npx cpushare image build${source.words} --mirror ${folder}\n` +
        `Over HTTP, name the folder debian: --mirror https://HOST/debian (beside it, ${join(folder, 'debian-security')})`,
    );
  },
};
