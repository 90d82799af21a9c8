/** The configuration as a value in the settings of a virtual machine: JSON itself, or its base64url, which needs no quoting. */
import { CodedError } from '../../shared/errors.ts';
import { MAX_FILE_BYTES } from './block-reader.ts';

export class ValueError extends CodedError<'CONFIGURATION_ENCODING'> {}

/** Room for the largest file as base64url. */
export const MAX_VALUE_BYTES = 2 * MAX_FILE_BYTES;

/** `name` is what complaints call it. @throws ValueError */
export function decodeCarriedValue(value: Uint8Array, name: string): Uint8Array {
  const wrong = (what: string) =>
    new ValueError('CONFIGURATION_ENCODING', `the ${name} ${what}`, {
      nextStep: 'write it as the base64url of cpushare.json, then restart the virtual machine',
    });
  if (value.length > MAX_VALUE_BYTES) throw wrong(`has ${value.length} bytes, too many`);
  const text = Buffer.from(value).toString('latin1');
  if (/^\s*\{/.test(text)) return new Uint8Array(value);
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(text)) throw wrong('is neither JSON in braces nor base64url');
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text.replace(/=+$/, '')) throw wrong('is cut or damaged base64url');
  return new Uint8Array(bytes);
}
