/** `cpushare attest verify`: judge a report. No network; exit code 0 accepted, 1 refused, 2 could not judge. */
import { nodeDigest } from 'tpm2-ts/digest-node';
import { objectName } from 'tpm2-ts/name';
import type { CommandModule } from 'yargs';
import { appraise } from '../../attest/appraise.ts';
import { nodeAttestCrypto } from '../../attest/crypto-node.ts';
import type { TpmClass } from '../../attest/evidence.ts';
import type { Expected } from '../../attest/expected.ts';
import { policyAccepting } from '../../attest/policies.ts';
import { TPM_CLASSES } from '../../attest/policy.ts';
import { parseReferenceValues, type ReferenceValues } from '../../attest/reference-values.ts';
import { renderVerdict } from '../../attest/render.ts';
import { parseReport, type Report } from '../../protocol/report-document.ts';
import { toHex } from '../../shared/bytes.ts';
import { AttestCommandError, hex32, read, readNonce, readTime, readTrustAnchors, wantsColour } from './files.ts';

interface VerifyArguments {
  report: string;
  reference: string[];
  nonce: string;
  trust: string[];
  broker: string | undefined;
  'accept-class': TpmClass[];
  at: string | undefined;
  json: boolean;
}

/** The anchors are named by whoever judges, so naming a maker of software TPMs is how those are accepted; the verdict says what they are worth. */
const VOUCHED_CLASSES: TpmClass[] = ['hardware', 'firmware', 'cloud', 'software'];

export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify <report>',
  describe: 'judge a report: exit code 0 accepted, 1 refused, 2 could not be judged',
  builder: (yargs) =>
    yargs
      .positional('report', { type: 'string', demandOption: true, describe: 'report.json as a broker hands it out' })
      .option('reference', {
        type: 'string',
        array: true,
        requiresArg: true,
        demandOption: true,
        describe: 'reference values of an image to accept; repeat for more',
      })
      .option('nonce', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'the challenge the machine had to answer, 64 hex digits; @FILE reads it from a file',
      })
      .option('trust', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: 'PEM with TPM certificate authorities to trust; repeat for more. None: every TPM is "unknown"',
      })
      .option('broker', {
        type: 'string',
        requiresArg: true,
        describe: "the broker's id, 64 hex digits; without it the report's own is taken and printed",
      })
      .option('accept-class', {
        alias: 'allow-class',
        choices: TPM_CLASSES,
        array: true,
        requiresArg: true,
        default: VOUCHED_CLASSES,
        defaultDescription: 'all but unknown: whatever an authority named by --trust vouches for',
        describe: 'TPM class to accept; repeat for more',
      })
      .option('at', { type: 'string', requiresArg: true, describe: 'judge at this time (ISO 8601) instead of now' })
      .option('json', { type: 'boolean', default: false, describe: 'print the verdict as JSON' })
      .example(
        '$0 attest verify report.json --reference reference-values.json --nonce 7f3a… --trust tpm-makers.pem',
        'a report of a real machine',
      )
      .example(
        '$0 attest verify dist/demo/report.json --reference dist/reference-values.json --nonce @dist/demo/nonce --trust dist/demo/trust.pem',
        'the report of the demo, whose TPM is software',
      ) as never,
  handler: async (args) => {
    const report = parseReport(await read(args.report));
    requireOwnMachineId(report);
    const expected = await expectations(args, report);
    const verdict = appraise(report.evidence, expected, nodeAttestCrypto);
    if (args.json) {
      console.log(JSON.stringify(verdict, null, 2));
    } else {
      const broker = Buffer.from(expected.brokerId).toString('hex');
      const vouching = args.broker === undefined ? `${broker} (as the report says)` : broker;
      const facts = [
        ['Machine', report.machineId],
        ['Broker', vouching],
        ['Received', report.receivedAt],
      ] as const;
      console.log(renderVerdict(verdict, { facts, colour: wantsColour() }));
    }
    process.exitCode = verdict.status === 'accepted' ? 0 : 1;
  },
};

/** The id is SHA-256 of the EK's Name: a report must not carry the name of another machine. An unreadable EK is judged later. */
function requireOwnMachineId({ machineId, evidence }: Report): void {
  let ekName: Uint8Array;
  try {
    ekName = objectName(evidence.ekPublic, nodeDigest);
  } catch {
    return;
  }
  const actual = toHex(nodeAttestCrypto.hash('sha256', ekName));
  if (actual === machineId) return;
  throw new AttestCommandError(
    'REPORT_MACHINE_MISMATCH',
    `the report is headed machine ${machineId}, its evidence is of machine ${actual}`,
  );
}

async function expectations(args: VerifyArguments, report: Report): Promise<Expected> {
  const [first, ...others] = await Promise.all(args.reference.map(readReferenceValues));
  if (first === undefined) {
    throw new AttestCommandError('REFERENCE_MISSING', 'no reference values were named', {
      nextStep: 'name them: --reference reference-values.json',
    });
  }
  return {
    challenge: await readNonce(args.nonce),
    brokerId: args.broker === undefined ? report.brokerId : hex32('BROKER_ID_BAD', 'a broker id', args.broker),
    activation: { kind: 'transcript', transcript: report.activation },
    referenceValues: [first, ...others],
    trustAnchors: (await Promise.all(args.trust.map(readTrustAnchors))).flat(),
    extraCertificates: [],
    revocationLists: [],
    policy: policyAccepting(args['accept-class']),
    time: readTime(args.at),
  };
}

async function readReferenceValues(path: string): Promise<ReferenceValues> {
  return parseReferenceValues(await read(path));
}
