/** `cpushare attest explain`: why a boot is as it is, register by register. Exit code 0 only for what was also verified and accepted. */
import type { CommandModule } from 'yargs';
import { appraise } from '../../attest/appraise.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { LogError } from '../../attest/event-log/little-endian.ts';
import type { Evidence } from '../../attest/evidence.ts';
import { type Boot, type Explanation, explain } from '../../attest/explain/explain.ts';
import { readBoot } from '../../attest/explain/read-boot.ts';
import { renderExplanation } from '../../attest/explain/render.ts';
import { restartsBetween } from '../../attest/explain/restarts.ts';
import { TPM_CLASSES } from '../../attest/policy/policy.ts';
import { renderFailure } from '../../attest/result/render.ts';
import { painter, wrap } from '../../attest/result/text-layout.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { parseReport, type Report, roleIn } from '../../protocol/report-document.ts';
import { readStanding, type StandingArguments, standingOptions } from './expectations.ts';
import { hex32, read, readNonce, readTime, wantsColour } from './files.ts';

interface ExplainArguments extends StandingArguments {
  report: string;
  nonce: string | undefined;
  broker: string | undefined;
  against: string | undefined;
  at: string | undefined;
  all: boolean;
  json: boolean;
}

export const explainCommand: CommandModule<object, ExplainArguments> = {
  command: 'explain <report>',
  describe: 'say in words what a machine booted and what differs from what was expected',
  builder: (yargs) =>
    standingOptions(yargs, { referenceRequired: false })
      .positional('report', { type: 'string', demandOption: true, describe: 'report.json as a broker hands it out' })
      .option('against', {
        type: 'string',
        requiresArg: true,
        describe: 'an earlier report of the same machine: compares the firmware as well',
      })
      .option('nonce', {
        type: 'string',
        requiresArg: true,
        describe: 'the challenge it had to answer; without it nothing is verified, only explained',
      })
      .option('broker', { type: 'string', requiresArg: true, describe: "the broker's id, 64 hex digits" })
      .option('at', { type: 'string', requiresArg: true, describe: 'judge at this time (ISO 8601) instead of now' })
      .option('all', { type: 'boolean', default: false, describe: 'show every measurement, also what is as expected' })
      .option('json', { type: 'boolean', default: false, describe: 'print changes and registers as JSON' })
      .example('$0 attest explain report.json --reference reference-values.json', 'why a report was refused')
      .example('$0 attest explain today.json --against yesterday.json', 'what changed since yesterday') as never,
  handler: async (args) => {
    const report = parseReport(await read(args.report));
    const earlier = args.against === undefined ? null : parseReport(await read(args.against));
    const standing = args.reference.length === 0 ? null : await readStanding(withoutTrust(args), report);
    const verdict =
      standing === null
        ? null
        : appraise(report.evidence, { ...standing, ...(await readRequest(args, report)) }, nodeAttestCrypto);
    const boot = bootOf(report.evidence);
    const explanation =
      'unreadable' in boot
        ? null
        : explain(boot, {
            references: standing?.referenceValues ?? [],
            earlier: earlier === null ? null : usable(earlier),
          });
    const restarts = earlier === null ? null : restartsBetween(earlier.evidence, report.evidence, nodeAttestCrypto);
    const verified = args.nonce !== undefined && verdict !== null;
    if (args.json) {
      console.log(
        JSON.stringify(
          { verified, verdict, restarts, ...(explanation === null ? boot : asJson(explanation)) },
          null,
          2,
        ),
      );
    } else {
      const colour = wantsColour();
      console.log(heading(verdict, verified, colour).join('\n'));
      if ('unreadable' in boot) console.log(`\n${boot.unreadable}`);
      if (restarts !== null) console.log(wrap(restarts, '', '').join('\n'));
      if (explanation !== null) console.log(renderExplanation(explanation, { colour, all: args.all }));
    }
    process.exitCode = verified && verdict.status === 'accepted' ? 0 : 1;
  },
};

/** Who made the TPM is one question, what it booted another: without any authority named, only the second is asked. */
function withoutTrust(args: ExplainArguments): ExplainArguments {
  const chosen = args.nonce !== undefined || args.trust.length > 0 || args.policy !== undefined;
  return chosen || args['accept-class'] !== undefined ? args : { ...args, 'accept-class': [...TPM_CLASSES] };
}

/** Without a nonce the report's own challenge stands in: enough to say why it would be refused, never to accept it. */
async function readRequest(args: ExplainArguments, report: Report) {
  return {
    challenge: args.nonce === undefined ? report.challenge : await readNonce(args.nonce),
    brokerId: args.broker === undefined ? report.brokerId : hex32('BROKER_ID_BAD', 'a broker id', args.broker),
    role: roleIn(report),
    activation: { kind: 'transcript', transcript: report.activation },
    time: readTime(args.at),
  } as const;
}

function bootOf(evidence: Evidence): Boot | { readonly unreadable: string } {
  try {
    return readBoot(evidence, nodeAttestCrypto);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return { unreadable: `The event log cannot be read, so there is nothing to explain: ${error.message}.` };
  }
}

/** The earlier report is what the caller compares with: if it cannot be read, that is an error and no explanation. */
const usable = (earlier: Report): Boot => readBoot(earlier.evidence, nodeAttestCrypto);

function heading(verdict: Verdict | null, verified: boolean, colour: boolean): string[] {
  const paint = painter(colour);
  const failed = verdict?.checks.filter(({ status }) => status === 'failed') ?? [];
  if (verified && verdict !== null) {
    const head = verdict.status === 'accepted' ? paint('green', 'ACCEPTED') : paint('red', 'REFUSED');
    return [head, ...failed.flatMap((check) => renderFailure(check, paint)), ''];
  }
  const caution =
    'Nobody has shown that this report answers your challenge (--nonce), so all below is what the machine or its broker says.';
  return [
    paint('yellow', 'EXPLAINED, NOT VERIFIED'),
    ...wrap(caution, '  ', '  '),
    ...(failed.length === 0 ? [] : ['', ...wrap('It would be refused all the same:', '  ', '  ')]),
    ...failed.flatMap((check) => renderFailure(check, paint)),
    '',
  ];
}

/** Without the log's bytes: a side is its name, what it says and its digest. */
function asJson({ changes, registers, nearest }: Explanation) {
  return {
    nearest: nearest === null ? null : nearest.all,
    changes: changes.map(({ code, sentence, remedy }) => ({ code, sentence, remedy })),
    registers: registers.map(({ pairs, ...register }) => ({
      ...register,
      measurements: pairs.map(({ kind, before, after }) => ({ kind, expected: side(before), seen: side(after) })),
    })),
  };
}

function side(measurement: Explanation['registers'][number]['pairs'][number]['before']) {
  if (measurement === null) return null;
  const { name, says, digest, proven } = measurement;
  return { name, says, digest, proven };
}
