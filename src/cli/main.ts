/** The `cpushare` program: mounts the verbs, prints errors as a person reads them, sets the exit code. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { describeError } from '../shared/errors.ts';
import { commands } from './commands.ts';

/** 0 done or accepted, 1 refused, 2 could not be done or judged. */
const COULD_NOT = 2;

const program = yargs(hideBin(process.argv))
  .scriptName('cpushare')
  .usage('$0 <verb>\n\nBuilds the seller live image, runs the broker, and checks attestation reports.')
  .command(commands)
  .example('$0 image build', 'build dist/cpushare-seller.iso from image/image.lock.json')
  .example(
    '$0 attest verify report.json --reference reference-values.json --nonce HEX --trust ca.pem',
    'check a report',
  )
  .demandCommand(1, 'Name a verb.')
  .recommendCommands()
  .strict()
  .wrap(Math.min(100, process.stdout.columns ?? 100))
  .version()
  .help()
  .fail((message, error, parser) => {
    if (error) throw error;
    parser.showHelp('error');
    console.error(`\n${message}`);
    process.exitCode = COULD_NOT;
    throw new UsageShown();
  });

/** The usage error is on the screen already. */
class UsageShown extends Error {}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UsageShown)) console.error(describeError(error));
  process.exitCode = COULD_NOT;
}
