/** `cpushare attest challenge`: check a machine oneself, through its broker, and take nobody's word for it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandModule } from 'yargs';
import { appraise } from '../../attest/appraise.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { renderVerdict } from '../../attest/result/render.ts';
import { encodeReport, type Report } from '../../protocol/report-document.ts';
import { stateStanding } from '../../protocol/report-judgement.ts';
import { fromBase64, fromHex, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { createBrokerClient } from '../broker-client.ts';
import { writeWhole } from '../write-whole.ts';
import { type AnsweredAsk, askMachine } from './ask-machine.ts';
import { readStanding, type StandingArguments, standingOptions } from './expectations.ts';
import { hex32, wantsColour } from './files.ts';

export class ChallengeCommandError extends CodedError<'BROKER_URL_BAD' | 'MACHINE_ID_BAD' | 'REPORT_UNWRITABLE'> {}

interface ChallengeArguments extends StandingArguments {
  broker: string;
  'broker-pin': string;
  machine: string;
  out: string | undefined;
  json: boolean;
}

export const challengeCommand: CommandModule<object, ChallengeArguments> = {
  command: 'challenge',
  describe: 'check a machine yourself, through its broker: exit codes as for verify',
  builder: (yargs) =>
    standingOptions(yargs)
      .option('broker', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'address of the broker, https://HOST:PORT',
      })
      .option('broker-pin', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: "the broker's id, 64 hex digits: nothing is sent to any other",
      })
      .option('machine', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'id of the machine, 64 hex digits',
      })
      .option('out', {
        type: 'string',
        requiresArg: true,
        describe: 'write a report here, to be judged again with attest verify --witnessed',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print the verdict as JSON' })
      .example(
        '$0 attest challenge --broker https://broker.example:42007 --broker-pin 5f0c… --machine 9ad1… --reference reference-values.json --trust tpm-makers.pem --out report.json',
        'your own challenge, your own credential for its TPM, judged here',
      ) as never,
  handler: async (args) => {
    const broker = {
      url: brokerUrl(args.broker),
      brokerId: toHex(hex32('BROKER_ID_BAD', 'a pin', args['broker-pin'])),
    };
    const machineId = machineIdOf(args.machine);
    const standing = await readStanding(args);
    const ask = await askMachine(machineId, broker.brokerId, {
      broker: createBrokerClient(broker),
      progress: (line) => console.error(line),
      pause: (ms) => delay(ms),
      nowMs: () => performance.now(),
    });
    const time = new Date();
    const { challenge, ekName, akName, secret, answer } = ask;
    const verdict = appraise(
      ask.evidence,
      {
        ...standing,
        challenge,
        role: 'seller-to-buyer',
        brokerId: fromHex(broker.brokerId),
        activation: { kind: 'answered', ekName, akName, secret, answer },
        time,
      },
      nodeAttestCrypto,
    );
    const judgement = stateStanding(standing, nodeAttestCrypto).judgementOf(ask.evidence, time);
    if (args.out !== undefined) {
      const text = `${JSON.stringify(encodeReport({ ...reportOf(ask, time), judgement }, verdict))}\n`;
      await writeWhole(args.out, text, unwritable);
    }
    if (args.json) console.log(JSON.stringify(verdict, null, 2));
    else {
      const facts = [
        ['Machine', machineId],
        ['Asked', `by you, through broker ${broker.brokerId}`],
        ['Challenge', toHex(challenge)],
        ...(args.out === undefined ? [] : [['Report', args.out] as const]),
      ] as const;
      console.log(renderVerdict(verdict, { facts, colour: wantsColour() }));
    }
    process.exitCode = verdict.status === 'accepted' ? 0 : 1;
  },
};

function reportOf({ keys, challenge, evidence, ekName, akName, secret, answer }: AnsweredAsk, time: Date): Report {
  const { statement, signature, brokerPublicKey } = keys.activation;
  return {
    machineId: keys.machineId,
    brokerId: fromHex(keys.brokerId),
    challenge,
    receivedAt: time.toISOString(),
    evidence,
    // The broker's word goes along for those who were not there; this verdict does not rest on it.
    activation: {
      statement: fromBase64(statement),
      signature: fromBase64(signature),
      brokerPublicKey: fromBase64(brokerPublicKey),
    },
    buyer: { ekName, akName, secret, answer },
  };
}

function brokerUrl(text: string): string {
  if (/^https:\/\/[^/?#@]+\/?$/.test(text) && URL.canParse(text)) return text.replace(/\/$/, '');
  throw new ChallengeCommandError('BROKER_URL_BAD', `${JSON.stringify(text.slice(0, 100))} is no address of a broker`, {
    nextStep: 'write it like https://broker.example:42007',
  });
}

function machineIdOf(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new ChallengeCommandError('MACHINE_ID_BAD', `a machine id has 64 hex digits, given was ${text.slice(0, 70)}`, {
    nextStep: 'copy it from the list of machines: GET /v1/machines at the broker',
  });
}

function unwritable(path: string, cause: unknown): ChallengeCommandError {
  return new ChallengeCommandError('REPORT_UNWRITABLE', `the report cannot be written to ${path}`, {
    cause,
    nextStep: 'name a file in a folder that is there and that you may write to',
  });
}
