/** `--mirror` and `--mirror-security`, shared by the verbs that download. */
import type { Argv } from 'yargs';
import { chooseMirrors, type Mirrors } from '../../../scripts/apt/mirrors.ts';

export interface MirrorArguments {
  readonly mirror?: string[] | undefined;
  readonly mirrorSecurity?: string[] | undefined;
}

export const mirrorOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('mirror', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe:
        'URL or folder of a Debian mirror (what holds dists/ and pool/), or of `image mirror`; repeat it to try several',
      defaultDescription: 'the mirror of this host’s own apt sources',
    })
    .option('mirror-security', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'URL or folder of the security archive',
      defaultDescription: 'the mirror’s URL with debian-security for debian',
    });

export const mirrorsOf = (given: MirrorArguments): Promise<Mirrors> =>
  chooseMirrors({
    ...(given.mirror === undefined ? {} : { mirrors: given.mirror }),
    ...(given.mirrorSecurity === undefined ? {} : { securityMirrors: given.mirrorSecurity }),
  });
