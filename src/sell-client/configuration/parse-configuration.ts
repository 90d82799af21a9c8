/** The configuration as the seller wrote it: strict, and every complaint names line and key. */
import { Value } from 'typebox/value';
import { SellerConfiguration } from '../../protocol/messages.ts';
import { CodedError } from '../../shared/errors.ts';
import { FILE_NAME } from './block-reader.ts';
import { type JsonPlaces, jsonPlaces, type KeyPlace } from './json-place.ts';

export class ConfigurationError extends CodedError<
  'CONFIGURATION_NOT_TEXT' | 'CONFIGURATION_NOT_JSON' | 'CONFIGURATION_INVALID'
> {}

const EXAMPLE = '{"broker":"https://HOST:42007","brokerPin":"64 hex digits"}';
const NEXT_STEP = `correct it, then restart; it must look like ${EXAMPLE}`;
const WANTED: Readonly<Record<string, string>> = {
  broker: 'must be https://HOST:PORT and nothing after it',
  brokerPin: 'must be 64 lower-case hex digits',
  wifi: 'must be {"networkName":"1 to 32 bytes","key":"8 to 63 ASCII characters or 64 hex digits"}',
};

/** `name` is what the complaints call it: the file, or where else it came from. @throws ConfigurationError */
export function parseConfiguration(bytes: Uint8Array, name: string = FILE_NAME): SellerConfiguration {
  const text = decodeText(bytes, name);
  const places = jsonPlaces(text);
  if (places.kind === 'mistake') throw notJson(name, places);
  const value: unknown = JSON.parse(text);
  const found = complaint(value, places.keys, name);
  if (found === null && Value.Check(SellerConfiguration, value)) return value;
  throw new ConfigurationError('CONFIGURATION_INVALID', `${name}: ${found ?? 'it does not fit'}`, {
    nextStep: NEXT_STEP,
  });
}

function decodeText(bytes: Uint8Array, name: string): string {
  try {
    // A byte order mark, as some editors write it, is dropped by the decoder.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError('CONFIGURATION_NOT_TEXT', `${name} is not UTF-8 text`, {
      cause,
      nextStep: 'save the file as plain text in UTF-8, then restart',
    });
  }
}

function notJson(name: string, { place, atEnd }: JsonPlaces & { kind: 'mistake' }): ConfigurationError {
  const where = `line ${place.line}, column ${place.column}`;
  const message = atEnd ? `it ends too early, in ${where}` : where;
  return new ConfigurationError('CONFIGURATION_NOT_JSON', `${name} is not JSON: ${message}`, { nextStep: NEXT_STEP });
}

function complaint(value: unknown, keys: readonly KeyPlace[], name: string): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it must be one object in braces';
  const known = Object.keys(SellerConfiguration.properties);
  for (const [index, { key, line }] of keys.entries()) {
    const named = `line ${line}: the key ${JSON.stringify(key.slice(0, 40))}`;
    if (!known.includes(key)) return `${named} is not known`;
    if (keys.findIndex((other) => other.key === key) < index) return `${named} is given twice`;
  }
  const missing = SellerConfiguration.required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `the key "${missing}" is missing`;
  const lineOf = (wanted: string) => keys.find(({ key }) => key === wanted)?.line;
  if (Object.hasOwn(value, 'wifi') && name !== FILE_NAME) {
    return `line ${lineOf('wifi')}: "wifi" is only taken from a volume with ${FILE_NAME}`;
  }
  const wrong = Value.Errors(SellerConfiguration, value)[0]?.instancePath.split('/')[1] ?? tooLong(value);
  if (wrong === null) return null;
  const line = lineOf(wrong);
  return `line ${line}: "${wrong}" ${WANTED[wrong] ?? 'has a value that does not fit'}`;
}

/** What the schema counts in characters and the radio in bytes. */
function tooLong(value: object): 'wifi' | null {
  const { wifi } = value as SellerConfiguration;
  return wifi !== undefined && Buffer.byteLength(wifi.networkName) > 32 ? 'wifi' : null;
}
