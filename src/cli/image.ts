/** `cpushare image …`: resolve, build and weigh the seller's image. */
import { join } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { readImageSpec } from '../../scripts/image-spec.ts';
import { resolveLock } from '../../scripts/lock.ts';
import { writeLock } from '../../scripts/lock-file.ts';
import { projectRoot } from '../../scripts/project.ts';

const paths = {
  spec: join(projectRoot, 'image/image.json'),
  lock: join(projectRoot, 'image/image.lock.json'),
};

const print = (line: string) => console.log(line);

const mirrorOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('mirror', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'base URL of a Debian mirror (the folder with dists/ and pool/); repeat it to try several in turn',
      defaultDescription: 'the mirror of this host’s own apt sources',
    })
    .option('mirror-security', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'base URL of the security archive',
      defaultDescription: 'the mirror’s URL with debian-security for debian',
    });

interface MirrorArguments {
  readonly mirror?: string[] | undefined;
  readonly mirrorSecurity?: string[] | undefined;
}

const mirrorsOf = (given: MirrorArguments) =>
  chooseMirrors({
    ...(given.mirror === undefined ? {} : { mirrors: given.mirror }),
    ...(given.mirrorSecurity === undefined ? {} : { securityMirrors: given.mirrorSecurity }),
  });

const lockCommand: CommandModule<object, MirrorArguments> = {
  command: 'lock',
  describe: 'Resolve image.json to exact packages and write image.lock.json',
  builder: (yargs) => mirrorOptions(yargs).example('$0 image lock', 'take the newest packages of the suite'),
  handler: async (given) => {
    const spec = await readImageSpec(paths.spec);
    await writeLock(paths.lock, await resolveLock(spec, await mirrorsOf(given), print));
    print(`Wrote ${paths.lock}`);
  },
};

export const imageCommand: CommandModule = {
  command: 'image',
  describe: 'Resolve, build and weigh the seller image',
  builder: (yargs) => yargs.command(lockCommand).demandCommand(1, 'Say what to do with the image: lock, build or size'),
  handler: () => undefined,
};
