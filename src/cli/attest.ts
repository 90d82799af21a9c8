/** `cpushare attest`: judge a report, look into an event log. No network; exit code 0 accepted, 1 refused, 2 could not judge. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { objectName } from 'tpm2-ts/name';
import type { CommandModule } from 'yargs';
import { appraise } from '../attest/appraise.ts';
import { nodeAttestCrypto } from '../attest/crypto-node.ts';
import { parseEventLog } from '../attest/event-log/parse.ts';
import { renderLog, reportEventLog } from '../attest/event-log/report.ts';
import type { TpmClass } from '../attest/evidence.ts';
import { type Expected, TPM_CLASSES } from '../attest/expected.ts';
import { policyAccepting } from '../attest/policies.ts';
import { parseReferenceValues, type ReferenceValues } from '../attest/reference-values.ts';
import { renderVerdict } from '../attest/render.ts';
import { parseReport, type Report } from '../protocol/report-document.ts';
import { fromHex, toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';

export class AttestCommandError extends CodedError<
  | 'FILE_UNREADABLE'
  | 'FILE_TOO_LARGE'
  | 'NONCE_BAD'
  | 'BROKER_ID_BAD'
  | 'TIME_BAD'
  | 'TRUST_FILE_BAD'
  | 'REFERENCE_MISSING'
  | 'REPORT_MACHINE_MISMATCH'
> {}

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

/** More than any report or log that can be accepted. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** The anchors are named by whoever judges, so naming a maker of software TPMs is how those are accepted; the verdict says what they are worth. */
const VOUCHED_CLASSES: TpmClass[] = ['hardware', 'firmware', 'cloud', 'software'];

const verifyCommand: CommandModule<object, VerifyArguments> = {
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

interface LogArguments {
  file: string;
  json: boolean;
}

const logCommand: CommandModule<object, LogArguments> = {
  command: 'log <file>',
  describe: 'print an event log and the registers it leads to',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'binary_bios_measurements' })
      .option('json', { type: 'boolean', default: false, describe: '{"banks":{"sha256":{"0":"hex",…}},"events":[…]}' })
      .example('$0 attest log /sys/kernel/security/tpm0/binary_bios_measurements', "this machine's own boot") as never,
  handler: async ({ file, json }) => {
    const log = parseEventLog(new Uint8Array(await read(file)), { padding: 'allow' });
    const report = reportEventLog(log, nodeAttestCrypto);
    console.log(json ? JSON.stringify(report) : renderLog(report));
  },
};

export const attestCommand: CommandModule = {
  command: 'attest <verb>',
  describe: 'check attestation reports and look into event logs',
  builder: (yargs) =>
    yargs
      .command(verifyCommand)
      .command(logCommand)
      .example('$0 attest log /sys/kernel/security/tpm0/binary_bios_measurements', 'what this computer measured')
      .demandCommand(1, 'Name a verb: verify or log.') as never,
  handler: () => {},
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
    policy: policyAccepting(args['accept-class']),
    time: readTime(args.at),
  };
}

async function readReferenceValues(path: string): Promise<ReferenceValues> {
  return parseReferenceValues(await read(path));
}

async function readNonce(nonce: string): Promise<Uint8Array> {
  const text = nonce.startsWith('@') ? (await read(nonce.slice(1))).toString('utf8').trim() : nonce;
  return hex32('NONCE_BAD', 'a nonce', text);
}

function hex32(code: 'NONCE_BAD' | 'BROKER_ID_BAD', what: string, text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) {
    throw new AttestCommandError(code, `${what} has 64 hex digits, given was ${JSON.stringify(text.slice(0, 70))}`);
  }
  return fromHex(text);
}

/** Every certificate in a PEM file, and nothing taken for one that is none. */
async function readTrustAnchors(path: string): Promise<Uint8Array[]> {
  const blocks = (await read(path))
    .toString('latin1')
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    if (blocks === null) throw new Error('there is no "BEGIN CERTIFICATE" in it');
    return blocks.map((block) => new Uint8Array(new X509Certificate(block).raw));
  } catch (cause) {
    throw new AttestCommandError('TRUST_FILE_BAD', `${path} holds no certificates in PEM form`, { cause });
  }
}

function readTime(text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new AttestCommandError('TIME_BAD', `${JSON.stringify(text)} is not a time`, {
    nextStep: 'write it like 2026-11-21T05:00:00Z',
  });
}

async function read(path: string): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (cause) {
    throw new AttestCommandError('FILE_UNREADABLE', `${path} cannot be read`, {
      cause,
      nextStep: 'check the path, and that the file may be read by you',
    });
  }
  if (content.length <= MAX_FILE_BYTES) return content;
  throw new AttestCommandError(
    'FILE_TOO_LARGE',
    `${path} has ${content.length} bytes, at most ${MAX_FILE_BYTES} are read`,
  );
}

function wantsColour(): boolean {
  return process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
}
