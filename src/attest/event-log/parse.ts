/**
 * Reads a firmware event log: crypto-agile (`Spec ID Event03`) or SHA-1 only, TCG PC Client PFP 1.06 §10. Nothing in the
 * result is proven: a digest is as good as the replay against a quoted register, data as good as its digest rule.
 */
import { HASH_BYTES } from '../crypto.ts';
import { EventType } from './event-types.ts';
import { type LittleEndianReader, LogError, littleEndianReader } from './little-endian.ts';

export interface EventLog {
  readonly format: 'crypto-agile' | 'sha1';
  /** Banks that the header names, in its order. An event may lack some of them. */
  readonly banks: readonly string[];
  /** 0, 3 or 4: where register 0 starts (PFP §10.4.5.3); 0 without a StartupLocality event. */
  readonly startupLocality: number;
  readonly events: readonly UntrustedEvent[];
  /** Bytes of 00 or ff behind the last event: some firmware pads its log. */
  readonly paddingBytes: number;
}

export interface UntrustedEvent {
  /** Position in the log, from 0; the Spec ID header is event 0. */
  readonly number: number;
  readonly pcr: number;
  readonly type: number;
  readonly digests: ReadonlyMap<string, Uint8Array>;
  readonly data: Uint8Array;
}

/** More than any log seen by a factor of ten and of ninety; a bound on work, not on truth. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const MAX_EVENTS = 20_000;
const MAX_ALGORITHMS = 16;
const LAST_PCR = 23;

const SPEC_ID_EVENT_03 = 'Spec ID Event03\0';
/** TPM_ALG_ID to bank name; sizes must be those of HASH_BYTES. */
const BANK_NAMES = new Map([
  [0x0004, 'sha1'],
  [0x000b, 'sha256'],
  [0x000c, 'sha384'],
  [0x000d, 'sha512'],
  [0x0012, 'sm3_256'],
  [0x0027, 'sha3_256'],
  [0x0028, 'sha3_384'],
  [0x0029, 'sha3_512'],
]);

type Algorithms = ReadonlyMap<number, { readonly bank: string; readonly bytes: number }>;

/** `padding: 'refuse'` is for judging, `'allow'` for looking at what a machine gave. @throws LogError */
export function parseEventLog(bytes: Uint8Array, options: { padding: 'refuse' | 'allow' }): EventLog {
  if (bytes.length > MAX_LOG_BYTES) {
    throw new LogError('LOG_TOO_LARGE', `the event log has ${bytes.length} bytes, at most ${MAX_LOG_BYTES} are read`);
  }
  const reader = littleEndianReader(bytes);
  const first = readSha1Event(reader, 0);
  const algorithms = readSpecId(first);
  const events = [first];
  let paddingBytes = 0;
  while (reader.left > 0) {
    const rest = bytes.subarray(reader.offset);
    if (isPadding(rest)) {
      if (options.padding === 'refuse') {
        throw new LogError('LOG_TRAILING_BYTES', `${rest.length} padding bytes after event ${events.length - 1}`);
      }
      paddingBytes = rest.length;
      break;
    }
    if (events.length === MAX_EVENTS) throw new LogError('LOG_TOO_LARGE', `more than ${MAX_EVENTS} events`);
    events.push(
      algorithms === null ? readSha1Event(reader, events.length) : readAgileEvent(reader, events.length, algorithms),
    );
  }
  return {
    format: algorithms === null ? 'sha1' : 'crypto-agile',
    banks: algorithms === null ? ['sha1'] : [...algorithms.values()].map((algorithm) => algorithm.bank),
    startupLocality: startupLocality(events),
    events,
    paddingBytes,
  };
}

/** TCG_PCClientPCREvent. */
function readSha1Event(reader: LittleEndianReader, number: number): UntrustedEvent {
  const where = `event ${number}`;
  const pcr = readPcr(reader, where);
  const type = reader.u32(`${where} type`);
  const digest = reader.bytes(HASH_BYTES.sha1, `${where} digest`);
  const data = reader.bytes(reader.u32(`${where} size`), `${where} data`);
  return { number, pcr, type, digests: new Map([['sha1', digest]]), data };
}

/** TCG_PCR_EVENT2: algorithms of the header, each at most once. Some logs lack banks that are switched off. */
function readAgileEvent(reader: LittleEndianReader, number: number, algorithms: Algorithms): UntrustedEvent {
  const where = `event ${number}`;
  const pcr = readPcr(reader, where);
  const type = reader.u32(`${where} type`);
  const count = reader.u32(`${where} digest count`);
  if (count > algorithms.size) {
    throw new LogError('LOG_DIGESTS_BAD', `${where} has ${count} digests, the log's header names ${algorithms.size}`);
  }
  const digests = new Map<string, Uint8Array>();
  for (let index = 0; index < count; index += 1) {
    const id = reader.u16(`${where} digest algorithm`);
    const algorithm = algorithms.get(id);
    if (algorithm === undefined) {
      throw new LogError('LOG_ALGORITHM_UNKNOWN', `${where} has a digest of algorithm ${hex16(id)}, not in the header`);
    }
    if (digests.has(algorithm.bank))
      throw new LogError('LOG_DIGESTS_BAD', `${where} has two ${algorithm.bank} digests`);
    digests.set(algorithm.bank, reader.bytes(algorithm.bytes, `${where} ${algorithm.bank} digest`));
  }
  const data = reader.bytes(reader.u32(`${where} size`), `${where} data`);
  return { number, pcr, type, digests, data };
}

function readPcr(reader: LittleEndianReader, where: string): number {
  const pcr = reader.u32(`${where} register`);
  // 0xffffffff stands for "no register" in NO_ACTION events of some firmware
  if (pcr > LAST_PCR && pcr !== 0xffffffff) throw new LogError('LOG_EVENT_BAD', `${where} names register ${pcr}`);
  return pcr;
}

/** TCG_EfiSpecIDEventStruct; null where the first event is an ordinary one of a SHA-1 log. */
function readSpecId(event: UntrustedEvent): Algorithms | null {
  if (event.type !== EventType.NO_ACTION || !startsWith(event.data, SPEC_ID_EVENT_03)) return null;
  const reader = littleEndianReader(event.data);
  reader.bytes(SPEC_ID_EVENT_03.length, 'Spec ID signature');
  reader.bytes(8, 'Spec ID platform class, version, errata and uintn size');
  const count = reader.u32('Spec ID algorithm count');
  if (count === 0 || count > MAX_ALGORITHMS) {
    throw new LogError('LOG_HEADER_BAD', `the header names ${count} algorithms, 1 to ${MAX_ALGORITHMS} are possible`);
  }
  const algorithms = new Map<number, { bank: string; bytes: number }>();
  for (let index = 0; index < count; index += 1) {
    const id = reader.u16('Spec ID algorithm');
    const bytes = reader.u16('Spec ID digest size');
    const bank = BANK_NAMES.get(id) ?? `alg_${hex16(id)}`;
    const known = Object.hasOwn(HASH_BYTES, bank) ? HASH_BYTES[bank as keyof typeof HASH_BYTES] : undefined;
    if (algorithms.has(id) || bytes === 0 || bytes > 128 || (known !== undefined && known !== bytes)) {
      throw new LogError(
        'LOG_HEADER_BAD',
        `the header names ${bank} with ${bytes} bytes${algorithms.has(id) ? ' again' : ''}`,
      );
    }
    algorithms.set(id, { bank, bytes });
  }
  reader.bytes(reader.u8('Spec ID vendor size'), 'Spec ID vendor information');
  if (reader.left > 0)
    throw new LogError('LOG_HEADER_BAD', `${reader.left} bytes after the header's vendor information`);
  return algorithms;
}

/** TCG_EfiStartupLocalityEvent: at most one, for register 0, before anything extends that register. */
function startupLocality(events: readonly UntrustedEvent[]): number {
  let locality: number | undefined;
  let extended = false;
  for (const event of events) {
    if (event.type !== EventType.NO_ACTION) {
      extended ||= event.pcr === 0;
    } else if (startsWith(event.data, 'StartupLocality\0')) {
      const value = event.data[16];
      if (event.pcr !== 0 || event.data.length !== 17 || extended || locality !== undefined) {
        throw new LogError(
          'LOG_STARTUP_LOCALITY_BAD',
          `event ${event.number} states a start-up locality for register ${event.pcr} in ${event.data.length} bytes: must be one, 17 bytes, first for register 0`,
        );
      }
      if (value !== 0 && value !== 3 && value !== 4) {
        throw new LogError('LOG_STARTUP_LOCALITY_BAD', `event ${event.number} states start-up locality ${value}`);
      }
      locality = value;
    }
  }
  return locality ?? 0;
}

function startsWith(data: Uint8Array, text: string): boolean {
  if (data.length < text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (data[index] !== text.charCodeAt(index)) return false;
  return true;
}

/** All 00 or all ff to the end. The first byte decides for nearly every event, so this stays linear over a log. */
function isPadding(rest: Uint8Array): boolean {
  const first = rest[0];
  if (first !== 0 && first !== 0xff) return false;
  return rest.every((byte) => byte === first);
}

const hex16 = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
