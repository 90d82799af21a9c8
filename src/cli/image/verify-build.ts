/** `cpushare image verify-build ISO`: does this checkout build exactly this ISO? Exit status 0 yes, 1 no, 2 could not say. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { renderVerification } from '../../../scripts/verify/render.ts';
import { verifyBuild } from '../../../scripts/verify/verify-build.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './mirror-options.ts';

interface Arguments extends MirrorArguments {
  readonly iso: string;
  readonly folder?: string | undefined;
  readonly 'foreign-tools': boolean;
}

const print = (line: string) => console.log(line);

export const verifyBuildCommand: CommandModule<object, Arguments> = {
  command: 'verify-build <iso>',
  describe: 'Build an ISO again from the lock inside it and compare; name the first component that differs',
  builder: (yargs) =>
    mirrorOptions(yargs)
      .positional('iso', { type: 'string', demandOption: true, describe: 'the ISO, as a file' })
      .option('folder', {
        type: 'string',
        requiresArg: true,
        describe: 'build there and leave the result',
        defaultDescription: 'a temporary folder, removed afterwards',
      })
      .option('foreign-tools', {
        type: 'boolean',
        default: false,
        describe: "run build tools that only the ISO's own lock names",
      })
      .example('$0 image verify-build cpushare-seller.iso', 'exit status 0: the same bytes, 1: different')
      .example('$0 image verify-build old.iso --mirror FOLDER', 'with the packages that `image mirror` kept'),
  handler: async (given) => {
    const folder = given.folder === undefined ? undefined : resolve(given.folder);
    if (folder !== undefined) await mkdir(folder, { recursive: true });
    const work = await mkdtemp(join(folder ?? tmpdir(), 'cpushare-verify-'));
    try {
      const verification = await verifyBuild({
        projectRoot,
        iso: resolve(given.iso),
        folder: work,
        foreignTools: given['foreign-tools'],
        cacheFolder: cacheFolder(),
        mirrors: () => mirrorsOf(given),
        progress: print,
      });
      print(`\n${renderVerification(verification)}`);
      if (verification.differences.length > 0) process.exitCode = 1;
    } finally {
      if (folder === undefined) await rm(work, { recursive: true, force: true });
    }
  },
};
