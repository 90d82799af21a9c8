/** `cpushare attest ear show`: verify a signed attestation result and print it. Exit code 0 relied on, 1 not, 2 unreadable. */
import { createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';
import type { CommandModule } from 'yargs';
import { toBase64Url } from '../../attest/result/ear.ts';
import { readEar } from '../../attest/result/ear-jose.ts';
import { EarError, type EarErrorCode, type EarResult } from '../../attest/result/ear-read.ts';
import { renderEar } from '../../attest/result/ear-render.ts';
import { CodedError, describeError } from '../../shared/errors.ts';
import { read, readNonce, readTime, wantsColour } from './files.ts';

export class EarCommandError extends CodedError<'EAR_KEY_FILE_BAD'> {}

interface ShowArguments {
  file: string;
  key: string[];
  nonce: string | undefined;
  at: string | undefined;
  'max-age': number | undefined;
  json: boolean;
}

/** Genuine and fresh are no, not a failure of this command. */
const REFUSED: readonly EarErrorCode[] = [
  'EAR_ALGORITHM_REFUSED',
  'EAR_SIGNATURE_INVALID',
  'EAR_NOT_YET_VALID',
  'EAR_EXPIRED',
  'EAR_EXPIRY_MISSING',
  'EAR_NONCE_MISMATCH',
  'EAR_STATUS_INCONSISTENT',
];

const showCommand: CommandModule<object, ShowArguments> = {
  command: 'show <file>',
  describe: 'verify a result and print it: exit code 0 relied on, 1 not, 2 could not be read',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'the result, a JWT' })
      .option('key', {
        type: 'string',
        array: true,
        requiresArg: true,
        demandOption: true,
        describe: "the verifier's public key: PEM, a certificate, a JWK or a JWK Set; repeat for more",
      })
      .option('nonce', {
        type: 'string',
        requiresArg: true,
        describe: 'the challenge it has to answer, 64 hex digits; @FILE reads it from a file',
      })
      .option('at', { type: 'string', requiresArg: true, describe: 'judge at this time (ISO 8601) instead of now' })
      .option('max-age', {
        type: 'number',
        requiresArg: true,
        describe: 'minutes for which a result counts that names no expiry; without it such a result is refused',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print what was read as JSON' })
      .example('$0 attest ear show result.jwt --key broker-keys.json', "a broker's word on a machine") as never,
  handler: async ({ file, key, nonce, at, json, 'max-age': maxAgeMinutes }) => {
    const token = new TextDecoder().decode(await read(file)).trim();
    const keys = (await Promise.all(key.map(readKeys))).flat();
    const expected = {
      time: readTime(at),
      ...(nonce === undefined ? {} : { nonce: toBase64Url(await readNonce(nonce)) }),
      ...(maxAgeMinutes === undefined ? {} : { maxAgeWithoutExpiryMs: maxAgeMinutes * 60_000 }),
    };
    let result: EarResult;
    try {
      result = await readEar(token, keys, expected);
    } catch (error) {
      if (!(error instanceof EarError) || !REFUSED.includes(error.code)) throw error;
      console.error(describeError(error));
      process.exitCode = 1;
      return;
    }
    console.log(json ? JSON.stringify(result, null, 2) : renderEar(result, { colour: wantsColour() }));
    const relied = Object.values(result.submodules).every(
      ({ status }) => status === 'affirming' || status === 'warning',
    );
    process.exitCode = relied ? 0 : 1;
  },
};

export const earCommand: CommandModule = {
  command: 'ear <verb>',
  describe: 'read signed attestation results (EAR)',
  builder: (yargs) =>
    yargs
      .command(showCommand)
      .example('$0 attest ear show result.jwt --key broker-keys.json', "a broker's word on a machine")
      .demandCommand(1, 'Name a verb: show.') as never,
  handler: () => {},
};

/** @throws EarCommandError EAR_KEY_FILE_BAD */
async function readKeys(path: string): Promise<readonly JWK[]> {
  const text = new TextDecoder().decode(await read(path));
  try {
    if (!text.trimStart().startsWith('{')) return [createPublicKey(text).export({ format: 'jwk' }) as JWK];
    const document = JSON.parse(text) as JWK & { keys?: unknown };
    const keys: unknown = document.keys ?? [document];
    if (!Array.isArray(keys) || !keys.every((each) => typeof each === 'object' && each !== null)) {
      throw new Error('its "keys" is no list of keys');
    }
    return keys as JWK[];
  } catch (cause) {
    throw new EarCommandError('EAR_KEY_FILE_BAD', `${path} holds no public key`, {
      cause,
      nextStep: 'give a PEM file, a certificate, a JWK or a JWK Set such as GET /v1/broker/keys answers',
    });
  }
}
