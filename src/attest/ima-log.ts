/**
 * IMA's binary_runtime_measurements (Linux, security/integrity/ima): what the running kernel measured into register 10.
 * Fields are in the machine's byte order, little-endian on all we boot. Judged for the sha256 bank only.
 */
import { concatBytes, equalBytes, toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';
import type { AttestCrypto } from './crypto.ts';
import { LogError, littleEndianReader } from './event-log/little-endian.ts';
import { extend, initialPcr } from './event-log/replay.ts';

export class ImaLogError extends CodedError<'IMA_LOG_MALFORMED'> {}

export interface ImaEntry {
  readonly pcr: number;
  readonly template: 'ima-ng' | 'ima-sig';
  /** SHA-1 over the template data, as the kernel writes it beside every entry; zeros for a violation. */
  readonly sha1: Uint8Array;
  /** As hashed into the register. */
  readonly templateData: Uint8Array;
  /** A violation (file open for writing while measured): extended as all ones. */
  readonly violation: boolean;
  readonly file: { readonly algorithm: string; readonly digest: Uint8Array; readonly path: string };
}

export const IMA_PCR = 10;
const MAX_ENTRIES = 20_000;
const MAX_PATH = 4096;

/** @throws ImaLogError */
export function parseImaLog(bytes: Uint8Array): readonly ImaEntry[] {
  try {
    const reader = littleEndianReader(bytes);
    const entries: ImaEntry[] = [];
    while (reader.left > 0) {
      if (entries.length === MAX_ENTRIES) throw new LogError('LOG_TOO_LARGE', `more than ${MAX_ENTRIES} entries`);
      const where = `entry ${entries.length}`;
      const pcr = reader.u32(`${where} register`);
      const sha1 = reader.bytes(20, `${where} template digest`);
      const template = ascii(reader.bytes(small(reader.u32(`${where} name size`), 32), `${where} template name`));
      if (template !== 'ima-ng' && template !== 'ima-sig') {
        throw new LogError('LOG_EVENT_BAD', `${where} uses the template ${JSON.stringify(template)}`);
      }
      const templateData = reader.bytes(reader.u32(`${where} data size`), `${where} template data`);
      const violation = sha1.every((byte) => byte === 0);
      entries.push({ pcr, template, sha1, templateData, violation, file: readTemplate(templateData, template, where) });
    }
    return entries;
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new ImaLogError('IMA_LOG_MALFORMED', 'the IMA log cannot be read', { cause });
  }
}

/** d-ng `algorithm:\0digest`, n-ng `path\0`, and for ima-sig a signature field. */
function readTemplate(data: Uint8Array, template: ImaEntry['template'], where: string): ImaEntry['file'] {
  const reader = littleEndianReader(data);
  const digestField = reader.bytes(reader.u32(`${where} digest size`), `${where} digest`);
  const pathField = reader.bytes(small(reader.u32(`${where} path size`), MAX_PATH), `${where} path`);
  if (template === 'ima-sig') reader.bytes(reader.u32(`${where} signature size`), `${where} signature`);
  if (reader.left > 0) throw new LogError('LOG_TRAILING_BYTES', `${where} has ${reader.left} bytes behind its fields`);
  const nul = digestField.indexOf(0);
  const algorithm = ascii(digestField.subarray(0, Math.max(nul, 0)));
  if (nul < 2 || !algorithm.endsWith(':')) throw new LogError('LOG_EVENT_BAD', `${where} names no digest algorithm`);
  if (pathField.indexOf(0) !== pathField.length - 1) throw new LogError('LOG_EVENT_BAD', `${where} has no proper path`);
  const path = new TextDecoder().decode(pathField.subarray(0, -1));
  return { algorithm: algorithm.slice(0, -1), digest: digestField.subarray(nul + 1), path };
}

/**
 * How many entries, from the first, bring register 10 to `quoted`. The log is read after the quote and may run ahead;
 * null where no prefix fits. Only those entries are proven.
 */
export function provenImaEntries(
  entries: readonly ImaEntry[],
  quoted: Uint8Array,
  crypto: Pick<AttestCrypto, 'hash'>,
): readonly ImaEntry[] | null {
  let value = initialPcr(IMA_PCR, 'sha256');
  if (equalBytes(value, quoted)) return [];
  for (const [index, entry] of entries.entries()) {
    if (entry.pcr !== IMA_PCR) return null; // an entry in another register would be extended there, unseen
    if (!entry.violation && !equalBytes(crypto.hash('sha1', entry.templateData), entry.sha1)) return null;
    const digest = entry.violation ? new Uint8Array(32).fill(0xff) : crypto.hash('sha256', entry.templateData);
    value = extend(value, digest, 'sha256', crypto);
    if (equalBytes(value, quoted)) return entries.slice(0, index + 1);
  }
  return null;
}

/** SHA-256 over registers 0 to 9: what the first entry, `boot_aggregate`, must be (kernels since 5.8). */
export function bootAggregate(pcr: (index: number) => Uint8Array, crypto: Pick<AttestCrypto, 'hash'>): string {
  return toHex(crypto.hash('sha256', concatBytes(...Array.from({ length: 10 }, (_, index) => pcr(index)))));
}

function small(value: number, max: number): number {
  if (value > max) throw new LogError('LOG_TOO_LARGE', `a field of ${value} bytes, at most ${max} are possible`);
  return value;
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}
