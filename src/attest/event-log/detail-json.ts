/**
 * An event's detail for programs: bytes as hex, 64-bit numbers as decimal text, a variable with what its value means.
 */
import { toHex } from '../../shared/bytes.ts';
import { certificateSubject } from './certificate-subject.ts';
import type { DecodedEvent } from './decode.ts';
import { type VariableContent, variableContent } from './variable-content.ts';
import type { WindowsRecord } from './windows-records.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function detailJson({ event, detail }: DecodedEvent): Json {
  if (detail.kind === 'opaque') return { kind: 'opaque', hex: toHex(event.data) };
  if (detail.kind === 'windows') return { kind: 'windows', records: detail.records.map(recordJson) };
  if (detail.kind !== 'variable') return toJson(detail);
  const { guid, name, value } = detail.variable;
  const content = contentJson(variableContent(detail.variable, event.type), value);
  return { kind: 'variable', guid, name, valueBytes: value.length, content };
}

function recordJson({ type, name, value, records }: WindowsRecord): Json {
  return value === null ? { type, name, records: records.map(recordJson) } : { type, name, value };
}

/** Certificates get their subject beside them. */
function contentJson(content: VariableContent, value: Uint8Array): Json {
  switch (content.kind) {
    case 'bytes':
      return { kind: 'bytes', hex: toHex(value) };
    case 'authority':
      return { ...asObject(toJson(content)), subject: certificateSubject(content.certificate) };
    case 'signature-lists': {
      const lists = content.lists.map((list) => ({
        type: list.type,
        typeGuid: list.typeGuid,
        headerBytes: list.headerBytes,
        entryBytes: list.entryBytes,
        entries: list.entries.map(({ owner, data }) => ({
          owner,
          data: toHex(data),
          ...(list.type === 'x509' ? { subject: certificateSubject(data) } : {}),
        })),
      }));
      return { kind: content.kind, lists };
    }
    default:
      return toJson(content);
  }
}

type JsonObject = { readonly [key: string]: Json };
const asObject = (json: Json): JsonObject => json as JsonObject;

function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each)]));
  }
  return value as Json;
}
