/** `cpushare attest page`: writes the verifier that runs in a browser, one file, for use from disk. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CommandModule } from 'yargs';
import { writeVerifierPage } from '../../../scripts/verifier-page.ts';

interface PageArguments {
  out: string;
}

export const pageCommand: CommandModule<object, PageArguments> = {
  command: 'page',
  describe: 'write the verifier as one HTML file for a browser',
  builder: (yargs) =>
    yargs
      .option('out', {
        type: 'string',
        requiresArg: true,
        default: 'verify.html',
        describe: 'the file to write; an earlier one is replaced',
      })
      .example('$0 attest page --out verify.html', 'open it in a browser; it needs no server and no network') as never,
  handler: async ({ out }) => {
    const { gzipBytes } = await writeVerifierPage(resolve(out));
    console.log(`${pathToFileURL(resolve(out)).href}\n${Math.round(gzipBytes / 1024)} KiB compressed`);
  },
};
