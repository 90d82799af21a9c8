/** `--flavour`, shared by the verbs that work on one image. */
import type { Argv } from 'yargs';

export interface FlavourArguments {
  readonly flavour?: string | undefined;
}

export const flavourOption = <T>(yargs: Argv<T>) =>
  yargs.option('flavour', {
    type: 'string',
    requiresArg: true,
    describe: 'an image beside the default: image/flavours/NAME.json, such as wifi',
    defaultDescription: 'the default image',
  });
