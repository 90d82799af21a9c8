/** One place where JSON from outside meets a schema: the error names the first place that does not fit. */
import type { Static, TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { CodedError } from '../shared/errors.ts';

export class SchemaError extends CodedError<'JSON_INVALID' | 'JSON_SHAPE'> {}

/** @throws SchemaError JSON_SHAPE */
export function requireShape<S extends TSchema>(schema: S, value: unknown, name: string): Static<S> {
  if (Check(schema, value)) return value as Static<S>;
  const first = Errors(schema, value)[0];
  const where = first === undefined || first.instancePath === '' ? name : `${name} at ${first.instancePath}`;
  throw new SchemaError('JSON_SHAPE', `${where} ${first?.message ?? 'does not fit the schema'}`);
}

/** UTF-8 JSON. @throws SchemaError */
export function parseJson(json: Uint8Array | string, name: string): unknown {
  try {
    return JSON.parse(typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw new SchemaError('JSON_INVALID', `${name} is not JSON`, { cause });
  }
}
