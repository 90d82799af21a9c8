/** `cpushare attest verify`: judge a report. No network; exit code 0 accepted, 1 refused, 2 could not judge. */
import type { CommandModule } from 'yargs';
import { appraise } from '../../attest/appraise.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import type { Request } from '../../attest/expected.ts';
import type { ActivationProof } from '../../attest/quote/activation.ts';
import { renderVerdict } from '../../attest/result/render.ts';
import { parseReport, type Report, roleIn } from '../../protocol/report-document.ts';
import { requireOwnMachineId } from '../../protocol/report-machine.ts';
import { toHex } from '../../shared/bytes.ts';
import { ownVersion } from '../own-version.ts';
import { earlierClock } from './earlier-clock.ts';
import { readStanding, type StandingArguments, standingOptions } from './expectations.ts';
import { AttestCommandError, hex32, read, readNonce, readTime, wantsColour } from './files.ts';
import { writeEar } from './write-ear.ts';

interface VerifyArguments extends StandingArguments {
  report: string;
  nonce: string;
  broker: string | undefined;
  after: string | undefined;
  at: string | undefined;
  witnessed: boolean;
  json: boolean;
  ear: string | undefined;
  key: string | undefined;
  'ear-evidence': boolean;
}

export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify <report>',
  describe: 'judge a report: exit code 0 accepted, 1 refused, 2 could not be judged',
  builder: (yargs) =>
    standingOptions(yargs)
      .positional('report', { type: 'string', demandOption: true, describe: 'report.json as a broker hands it out' })
      .option('nonce', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'the challenge the machine had to answer, 64 hex digits; @FILE reads it from a file',
      })
      .option('broker', {
        type: 'string',
        requiresArg: true,
        describe: "the broker's id, 64 hex digits; without it the report's own is taken and printed",
      })
      .option('after', {
        type: 'string',
        requiresArg: true,
        describe:
          "an earlier report of the same machine: its TPM's clock, once proven, is taken as the last one known, and must not have gone back since",
      })
      .option('at', { type: 'string', requiresArg: true, describe: 'judge at this time (ISO 8601) instead of now' })
      .option('witnessed', {
        type: 'boolean',
        default: false,
        describe:
          'you made this report yourself with attest challenge: take its activation as seen, not on the word of the broker',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print the verdict as JSON' })
      .option('ear', {
        type: 'string',
        requiresArg: true,
        implies: 'key',
        describe: 'sign the verdict as an attestation result (EAR, a JWT) and write it to this file',
      })
      .option('key', {
        type: 'string',
        requiresArg: true,
        implies: 'ear',
        describe: 'PEM with the P-256 key that signs it',
      })
      .option('ear-evidence', {
        type: 'boolean',
        default: false,
        describe:
          'carry the evidence along in it, so that its reader can judge again; names the TPM to whoever reads it',
      })
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
    requireOwnMachineId(report, nodeAttestCrypto);
    const request = await readRequest(args, report);
    const standing = await readStanding(args, report);
    const earlier = args.after === undefined ? null : parseReport(await read(args.after));
    const lastClock = earlier === null ? null : earlierClock(earlier, { report, standing, request });
    const expected = { ...standing, ...request, lastClock };
    const verdict = appraise(report.evidence, expected, nodeAttestCrypto);
    if (args.ear !== undefined && args.key !== undefined) {
      await writeEar(verdict, report, expected, {
        path: args.ear,
        keyPath: args.key,
        version: ownVersion(),
        withEvidence: args['ear-evidence'],
      });
    }
    if (args.json) {
      console.log(JSON.stringify(verdict, null, 2));
    } else {
      const broker = toHex(request.brokerId);
      const vouching = args.broker === undefined ? `${broker} (as the report says)` : broker;
      const facts = [
        ['Machine', report.machineId],
        ['Broker', vouching],
        ['Received', report.receivedAt],
        ...(report.buyer === undefined ? [] : [['Asked', 'by a buyer, through the broker'] as const]),
      ] as const;
      console.log(renderVerdict(verdict, { facts, colour: wantsColour() }));
      if (verdict.status === 'refused') console.log(`\n${explainHint(args)}`);
    }
    process.exitCode = verdict.status === 'accepted' ? 0 : 1;
  },
};

/** A command of its own: it needs no nonce, and compares with an earlier report as well. */
function explainHint({ report, reference }: VerifyArguments): string {
  const words = ['cpushare attest explain', report, ...reference.map((named) => `--reference ${named}`)];
  return `What changed, register by register:\n  ${words.join(' ')}`;
}

async function readRequest(args: VerifyArguments, report: Report): Promise<Request> {
  return {
    challenge: await readNonce(args.nonce),
    brokerId: args.broker === undefined ? report.brokerId : hex32('BROKER_ID_BAD', 'a broker id', args.broker),
    role: roleIn(report),
    activation: args.witnessed ? witnessedActivation(report) : { kind: 'transcript', transcript: report.activation },
    time: readTime(args.at),
  };
}

/** Who wrapped the secret may take the answer for a proof. */
function witnessedActivation({ buyer }: Report): ActivationProof {
  if (buyer !== undefined) return { kind: 'answered', ...buyer };
  throw new AttestCommandError('NOT_WITNESSED', 'this report holds no answer to a credential of yours', {
    nextStep: 'leave --witnessed out, or make the report yourself: cpushare attest challenge',
  });
}
