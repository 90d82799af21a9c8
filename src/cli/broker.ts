/** `cpushare broker serve`: runs the market's broker until it is told to stop. */
import type { CommandModule } from 'yargs';
import { currentVerifierPage } from '../../scripts/verifier-page.ts';
import type { TpmClass } from '../attest/evidence.ts';
import { type Policy, TPM_CLASSES } from '../attest/policy/policy.ts';
import { parseListenAddress, parsePairingBase } from '../broker/listen-address.ts';
import { type RunningBroker, startBroker } from '../broker/main.ts';
import { BROKER_PORT } from '../protocol/ports.ts';
import { CodedError, describeError } from '../shared/errors.ts';
import { AttestCommandError } from './attest/files.ts';
import { readPolicy } from './attest/policy-file.ts';
import { readReferenceTrust } from './attest/reference-key.ts';
import { loadTrustStore } from './attest/trust-store.ts';
import { accountCommand } from './broker/account.ts';
import { ownVersion } from './own-version.ts';

interface ServeArguments {
  listen: string;
  data: string;
  database: string | undefined;
  'pairing-url': string | undefined;
  reference: string[];
  trust: string[];
  'trust-store': string | undefined;
  'reference-key': string[];
  policy: string | undefined;
  'accept-class': TpmClass[] | undefined;
  'allow-debug': boolean;
  json: boolean;
}

const serveCommand: CommandModule<object, ServeArguments> = {
  command: 'serve',
  describe: 'enrol machines, challenge them, judge their evidence, and hand out reports',
  builder: (yargs) =>
    yargs
      .option('listen', {
        type: 'string',
        default: `127.0.0.1:${BROKER_PORT}`,
        describe: 'HOST:PORT; port 0 takes any free one',
      })
      .option('data', {
        type: 'string',
        default: 'cpushare-broker',
        describe: 'folder for identity and database; made private at the first start',
      })
      .option('database', { type: 'string', describe: 'postgres://… instead of the embedded database' })
      .option('reference', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: 'reference values of an image to accept; repeat for more',
      })
      .option('reference-key', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: 'public key (PEM, P-256) that must have signed the reference values; repeat for more',
      })
      .option('trust', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: 'PEM with TPM certificate authorities to trust; repeat for more',
      })
      .option('trust-store', {
        type: 'string',
        requiresArg: true,
        describe: 'folder of a trust store, as "attest trust import" fills it',
      })
      .option('policy', { type: 'string', requiresArg: true, describe: 'policy file: what to accept, field by field' })
      .option('accept-class', {
        choices: TPM_CLASSES,
        array: true,
        requiresArg: true,
        describe: 'TPM class to accept, in place of a policy file; repeat for more',
      })
      .option('allow-debug', {
        type: 'boolean',
        default: false,
        describe: 'accept images for developers, which have a shell: only for a broker of your own machines',
      })
      .option('pairing-url', {
        type: 'string',
        requiresArg: true,
        describe: 'https://… in front of /pair, where sellers reach it by another name than machines do',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON line when ready, and nothing else' })
      .example(
        '$0 broker serve --reference dist/reference-values.json --trust tpm-makers.pem --accept-class hardware',
        'a broker for real machines, on this computer only',
      )
      .example(
        '$0 broker serve --listen 0.0.0.0:42007 --reference dist/reference-values.json --trust tpm-makers.pem --accept-class hardware --accept-class firmware',
        'the same for everybody',
      ) as never,
  handler: serve,
};

export const brokerCommand: CommandModule = {
  command: 'broker',
  describe: 'the broker: where machines enrol and prove what they run',
  builder: (yargs) =>
    yargs
      .command(serveCommand)
      .command(accountCommand)
      .example('$0 broker serve --help', 'what it needs to start')
      .demandCommand(1, 'Name a verb: cpushare broker serve'),
  handler: () => undefined,
};

async function serve(args: ServeArguments): Promise<void> {
  const policy = await requirePolicy(args);
  const broker = await startBroker({
    listen: parseListenAddress(args.listen),
    dataFolder: args.data,
    databaseUrl: args.database ?? null,
    pairingBase: args['pairing-url'] === undefined ? null : parsePairingBase(args['pairing-url']),
    references: args.reference,
    trust: args.trust,
    trustStore: args['trust-store'] === undefined ? null : await loadTrustStore(args['trust-store']),
    referenceSigners: await readReferenceTrust(args['reference-key']),
    policy,
    version: ownVersion(),
    verifierPage: await verifierPage(),
    log: (line) => console.error(`${new Date().toISOString()} ${line}`),
  });
  // Asked for before the ready line: who reads that line may stop the broker at once.
  const stopped = untilStopped();
  console.log(
    args.json ? JSON.stringify({ url: broker.url, brokerId: broker.brokerId }) : welcome(broker, policy, args),
  );
  await stopped;
  await broker.close();
}

/** A broker judges for others: what it accepts has no default. */
async function requirePolicy(args: ServeArguments): Promise<Policy> {
  const policy = await readPolicy(args.policy, args['accept-class']);
  if (policy !== null) return args['allow-debug'] ? { ...policy, debugImages: 'accept' } : policy;
  throw new AttestCommandError('POLICY_MISSING', 'nothing says what the broker is to accept', {
    nextStep: 'name a policy file (--policy), or TPM classes, for instance --accept-class hardware',
  });
}

/** A broker serves machines without it, too. */
async function verifierPage(): Promise<string | null> {
  try {
    return await currentVerifierPage();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    console.error(`The page for browsers is left out: ${describeError(error)}`);
    return null;
  }
}

function welcome(broker: RunningBroker, policy: Policy, args: ServeArguments): string {
  const { port } = new URL(broker.url);
  return [
    `Broker ready at ${broker.url}   (Ctrl-C stops it)`,
    `  pin for sellers  ${broker.brokerId}`,
    `  data folder      ${broker.dataFolder}${args.database === undefined ? '' : ' (identity only; rows are in PostgreSQL)'}`,
    ...broker.images.map((image) => `  accepts image    ${image}`),
    ...(policy.debugImages === 'accept' ? ['  for developers   images with a shell are accepted, too'] : []),
    `  accepts TPMs     ${policy.acceptedTpmClasses.join(', ')}`,
    `  verify a report  ${broker.url}/verify/`,
    `  sellers pair at  ${args['pairing-url'] ?? broker.url}/pair   (accounts: cpushare broker account add NAME)`,
    `  firewall         machines need TCP port ${port} of this computer, and no other`,
  ].join('\n');
}

/** The first SIGINT or SIGTERM closes cleanly; a second one ends the process at once, as the system does by itself. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
