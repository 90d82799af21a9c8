/**
 * IMA's binary_runtime_measurements (Linux, security/integrity/ima): what the running kernel measured into register 10.
 * Fields are in the machine's byte order, little-endian on all we boot. Work grows with the length of the log, not faster.
 */
import { concatBytes, equalBytes, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { type AttestCrypto, HASH_BYTES, type HashName } from '../crypto/crypto.ts';
import { type LittleEndianReader, LogError, littleEndianReader } from '../event-log/little-endian.ts';
import { initialPcr } from '../event-log/replay.ts';
import { type ExpectedModule, type ExpectedModules, moduleOf } from './expected-modules.ts';

export class ImaLogError extends CodedError<'IMA_LOG_MALFORMED'> {}

export interface ImaEntry {
  readonly pcr: number;
  readonly template: ImaTemplate;
  /** SHA-1 over the template data, as the kernel writes it beside every entry; zeros for a violation. */
  readonly sha1: Uint8Array;
  /** As hashed into the register. */
  readonly templateData: Uint8Array;
  /** A violation (file open for writing while measured): extended as all ones. */
  readonly violation: boolean;
  /**
   * `algorithm` as the kernel names it; `verity:` before it where the digest is not of the file but of its fs-verity
   * descriptor. In `ima-buf` entries the digest is of `buffer`, and the path names what that is.
   */
  readonly file: { readonly algorithm: string; readonly digest: Uint8Array; readonly path: string };
  /** What was measured, where that is no file: a kexec command line, a key. Empty in other templates. */
  readonly buffer: Uint8Array;
  /** The module of the expected release whose entry this is, byte by byte; null for any other entry. */
  readonly module: ExpectedModule | null;
}

/**
 * The fields behind digest and path in the kernel's own templates (ima_template.c). `ima`, the first one, hashes its name
 * in a form of its own, and `evm-sig` holds attributes that nothing here judges: both are refused, as is any other.
 */
const TEMPLATES = {
  'ima-ng': { typed: false, rest: [] },
  'ima-sig': { typed: false, rest: ['signature'] },
  'ima-buf': { typed: false, rest: ['buffer'] },
  'ima-modsig': { typed: false, rest: ['signature', 'module digest', 'module signature'] },
  'ima-ngv2': { typed: true, rest: [] },
  'ima-sigv2': { typed: true, rest: ['signature'] },
} as const;

export type ImaTemplate = keyof typeof TEMPLATES;

/** Told without making text of what every entry repeats. */
const TEMPLATE_NAMES = (Object.keys(TEMPLATES) as ImaTemplate[]).map((name) => ({
  name,
  bytes: new TextEncoder().encode(name),
}));

export const IMA_PCR = 10;
const NONE: ExpectedModules = new Map();
const NO_BYTES = new Uint8Array();
const MAX_ENTRIES = 20_000;
const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 32;

/** `modules` of the release that is expected spare the reading of entries that equal theirs. @throws ImaLogError */
export function parseImaLog(bytes: Uint8Array, modules: ExpectedModules = NONE): readonly ImaEntry[] {
  const entries: ImaEntry[] = [];
  try {
    const reader = littleEndianReader(bytes);
    while (reader.left > 0) {
      if (entries.length === MAX_ENTRIES) throw new LogError('LOG_TOO_LARGE', `more than ${MAX_ENTRIES} entries`);
      entries.push(readEntry(reader, modules));
    }
    return entries;
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    throw new ImaLogError('IMA_LOG_MALFORMED', `the IMA log cannot be read from entry ${entries.length} on`, { cause });
  }
}

function readEntry(reader: LittleEndianReader, modules: ExpectedModules): ImaEntry {
  const pcr = reader.u32('register');
  const sha1 = reader.bytes(HASH_BYTES.sha1, 'template digest');
  const name = templateOf(reader.bytes(bounded(reader.u32('template name size'), MAX_NAME_BYTES), 'template name'));
  const templateData = reader.bytes(reader.u32('template data size'), 'template data');
  const module = name === 'ima-sig' ? moduleOf(modules, templateData) : null;
  const { file, buffer } = module === null ? readTemplate(templateData, name) : { file: module.file, buffer: NO_BYTES };
  return { pcr, template: name, sha1, templateData, violation: isZero(sha1), file, buffer, module };
}

function templateOf(written: Uint8Array): ImaTemplate {
  const known = TEMPLATE_NAMES.find(({ bytes }) => equalBytes(bytes, written));
  if (known === undefined) throw new LogError('LOG_EVENT_BAD', `the template ${JSON.stringify(ascii(written))}`);
  return known.name;
}

/** d-ng `algorithm:\0digest` or d-ngv2 `type:algorithm:\0digest`, n-ng `path\0`, then what the template adds. */
function readTemplate(data: Uint8Array, template: ImaTemplate): Pick<ImaEntry, 'file' | 'buffer'> {
  const reader = littleEndianReader(data);
  const { typed, rest } = TEMPLATES[template];
  const digestField = reader.bytes(reader.u32('digest field size'), 'digest field');
  const pathField = reader.bytes(bounded(reader.u32('path size'), MAX_PATH_BYTES), 'path');
  let buffer = new Uint8Array() as Uint8Array;
  for (const field of rest) {
    const value = reader.bytes(reader.u32(`${field} size`), field);
    if (field === 'buffer') buffer = value;
  }
  if (reader.left > 0) throw new LogError('LOG_TRAILING_BYTES', `${reader.left} bytes behind the fields`);
  if (pathField.indexOf(0) !== pathField.length - 1) throw new LogError('LOG_EVENT_BAD', 'no proper path');
  const { algorithm, digest } = readDigest(digestField, typed);
  const file = {
    algorithm,
    digest,
    // decoded when somebody asks: of an entry that is known by its digest nobody does
    get path() {
      return utf8.decode(pathField.subarray(0, -1));
    },
  };
  return { file, buffer };
}

function readDigest(field: Uint8Array, typed: boolean): { readonly algorithm: string; readonly digest: Uint8Array } {
  const nul = field.indexOf(0);
  if (!typed && nul === SHA256_LABEL.length && equalBytes(field.subarray(0, nul), SHA256_LABEL)) {
    return { algorithm: 'sha256', digest: field.subarray(nul + 1) };
  }
  const label = ascii(field.subarray(0, Math.max(nul, 0)));
  const [, type, algorithm] = (typed ? /^(ima|verity):([a-z0-9-]+):$/ : /^()([a-z0-9-]+):$/).exec(label) ?? [];
  if (algorithm === undefined) throw new LogError('LOG_EVENT_BAD', `the digest label ${JSON.stringify(label)}`);
  const digest = field.subarray(nul + 1);
  return { algorithm: type === 'verity' ? `verity:${algorithm}` : algorithm, digest };
}

/** What nearly every entry says; told without making text of it. */
const SHA256_LABEL = new TextEncoder().encode('sha256:');
const utf8 = new TextDecoder();

/**
 * How many entries, from the first, bring register 10 to `quoted`. The log is read after the quote and may run ahead;
 * null where no prefix fits. Only those entries are proven.
 */
export function provenImaEntries(
  entries: readonly ImaEntry[],
  quoted: Uint8Array,
  crypto: Pick<AttestCrypto, 'hash'>,
  bank: HashName = 'sha256',
): readonly ImaEntry[] | null {
  const width = HASH_BYTES[bank];
  const extended = new Uint8Array(2 * width); // the register's value and the next digest, for every extend anew
  extended.set(initialPcr(IMA_PCR, bank));
  if (equalBytes(extended.subarray(0, width), quoted)) return [];
  const violation = new Uint8Array(width).fill(0xff);
  let count = 0;
  for (const entry of entries) {
    if (entry.pcr !== IMA_PCR) return null; // an entry in another register would be extended there, unseen
    const { module, templateData } = entry;
    if (entry.violation) {
      extended.set(violation, width);
    } else {
      if (!equalBytes(module?.sha1 ?? crypto.hash('sha1', templateData), entry.sha1)) return null;
      const known = bank === 'sha256' ? module?.sha256 : null;
      extended.set(known ?? crypto.hash(bank, templateData), width);
    }
    const value = crypto.hash(bank, extended);
    count += 1;
    if (equalBytes(value, quoted)) return entries.slice(0, count);
    extended.set(value);
  }
  return null;
}

/**
 * What the first entry, `boot_aggregate`, must be: the hash of registers 0 to 9 of the bank (kernels since 5.8), or of 0
 * to 7 for SHA-1, which has never meant more.
 */
export function bootAggregate(
  pcr: (index: number) => Uint8Array,
  crypto: Pick<AttestCrypto, 'hash'>,
  bank: HashName = 'sha256',
): string {
  const count = bank === 'sha1' ? 8 : 10;
  return toHex(crypto.hash(bank, concatBytes(...Array.from({ length: count }, (_, index) => pcr(index)))));
}

function bounded(value: number, max: number): number {
  if (value > max) throw new LogError('LOG_TOO_LARGE', `a field of ${value} bytes, at most ${max} are possible`);
  return value;
}

function isZero(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index += 1) if (bytes[index] !== 0) return false;
  return true;
}

function ascii(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length && index < 64; index += 1) text += String.fromCharCode(bytes[index] ?? 0);
  return text;
}
