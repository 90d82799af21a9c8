/** `cpushare.json` as the seller wrote it: strict, and every complaint names the place in the file. */
import { Value } from 'typebox/value';
import { SellerConfiguration } from '../../protocol/messages.ts';
import { CodedError } from '../../shared/errors.ts';
import { FILE_NAME } from './block-reader.ts';

export class ConfigurationError extends CodedError<
  'CONFIGURATION_NOT_TEXT' | 'CONFIGURATION_NOT_JSON' | 'CONFIGURATION_INVALID'
> {}

const EXAMPLE = '{"broker":"https://HOST:42007","brokerPin":"64 hex digits"}';

/** @throws ConfigurationError */
export function parseConfiguration(bytes: Uint8Array): SellerConfiguration {
  const value = parseJson(decodeText(bytes));
  if (Value.Check(SellerConfiguration, value)) return value;
  throw new ConfigurationError('CONFIGURATION_INVALID', `${FILE_NAME}: ${complaint(value)}`, {
    nextStep: `correct the file, then restart; it must look like ${EXAMPLE}`,
  });
}

function decodeText(bytes: Uint8Array): string {
  try {
    // A byte order mark, as some editors write it, is dropped by the decoder.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError('CONFIGURATION_NOT_TEXT', `${FILE_NAME} is not UTF-8 text`, {
      cause,
      nextStep: 'save the file as plain text in UTF-8, then restart',
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError('CONFIGURATION_NOT_JSON', `${FILE_NAME} is not JSON${place(text, String(cause))}`, {
      cause,
      nextStep: `correct the file, then restart; it must look like ${EXAMPLE}`,
    });
  }
}

function place(text: string, message: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return ': it ends too early';
  const before = text.slice(0, Number(position)).split('\n');
  return `: line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

function complaint(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it must be one object in braces';
  const known = Object.keys(SellerConfiguration.properties);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) return `the key ${JSON.stringify(unknown.slice(0, 40))} is not known`;
  const missing = known.find((key) => !(key in value));
  if (missing !== undefined) return `the key "${missing}" is missing`;
  const wrong = Value.Errors(SellerConfiguration, value)[0]?.instancePath.slice(1);
  if (wrong === 'brokerPin') return '"brokerPin" must be 64 lower-case hex digits';
  return '"broker" must be https://HOST:PORT and nothing after it';
}
