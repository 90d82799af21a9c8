/**
 * Reads a firmware event log: crypto-agile (`Spec ID Event03`) or SHA-1 only, TCG PC Client PFP 1.06 §10. Nothing in the
 * result is proven: a digest is as good as the replay against a quoted register, data as good as its digest rule.
 */
import { HASH_BYTES } from '../crypto/crypto.ts';
import { type LittleEndianReader, LogError, littleEndianReader } from './little-endian.ts';
import { isSpecId03, readSpecId, type SpecId } from './spec-id.ts';
import { startupLocality } from './startup-locality.ts';
import type { UntrustedEvent } from './untrusted-event.ts';
import type { Workaround } from './workarounds.ts';

export interface EventLog {
  readonly format: 'crypto-agile' | 'sha1';
  /** `mr`: the log of a confidential VM (CCEL): 0 is the build-time register (TDX: MRTD), 1 to 4 are the run-time ones. */
  readonly registers: 'pcr' | 'mr';
  /** Null for a log in SHA-1 format. */
  readonly specId: SpecId | null;
  /** Banks that the header names, in its order. An event may lack some of them. */
  readonly banks: readonly string[];
  /** 0, 3 or 4: where register 0 starts (PFP §10.4.5.3); 4 after an H-CRTM event; 0 without either. */
  readonly startupLocality: number;
  readonly events: readonly UntrustedEvent[];
  /** Bytes of 00 or ff behind the last event: some firmware pads its log. */
  readonly paddingBytes: number;
  /** Those that were needed to read this log, out of the ones that the caller allowed. */
  readonly workarounds: readonly Workaround[];
}

export interface ParseOptions {
  /** `'refuse'` is for judging, `'allow'` for looking at what a machine gave, and for ACPI areas larger than their log. */
  readonly padding: 'refuse' | 'allow';
  /** `'pcr'` unless the log came from the ACPI table CCEL. */
  readonly registers?: 'pcr' | 'mr';
  /** None unless named. */
  readonly workarounds?: readonly Workaround[];
}

/** More than any log seen by a factor of ten and of ninety; a bound on work, not on truth. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const MAX_EVENTS = 20_000;
const LAST_REGISTER = { pcr: 23, mr: 4 } as const;
/** "No register", in NO_ACTION events of some firmware. */
const NO_PCR = 0xffffffff;

/** Time and memory grow with the length of the log, not faster. @throws LogError */
export function parseEventLog(given: Uint8Array, options: ParseOptions): EventLog {
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength); // parts of a Node Buffer take longer
  if (bytes.length > MAX_LOG_BYTES) {
    throw new LogError('LOG_TOO_LARGE', `the event log has ${bytes.length} bytes, at most ${MAX_LOG_BYTES} are read`);
  }
  const registers = options.registers ?? 'pcr';
  const lastRegister = LAST_REGISTER[registers];
  const allowed = options.workarounds ?? [];
  const workarounds: Workaround[] = [];

  const reader = littleEndianReader(bytes);
  const first = readSha1Event(reader, 0, lastRegister);
  const specId = isSpecId03(first.type, first.data) ? readHeader(first, bytes, reader, allowed, workarounds) : null;
  const events = [first];
  const paddingFrom = bytes.length - paddingLength(bytes);
  while (reader.left > 0 && reader.offset < paddingFrom) {
    const number = events.length;
    if (number === MAX_EVENTS) throw new LogError('LOG_TOO_LARGE', `more than ${MAX_EVENTS} events`);
    events.push(
      specId === null
        ? readSha1Event(reader, number, lastRegister)
        : readAgileEvent(reader, number, lastRegister, specId),
    );
  }
  if (reader.left > 0 && options.padding === 'refuse') {
    throw new LogError('LOG_TRAILING_BYTES', `${reader.left} padding bytes after event ${events.length - 1}`);
  }
  return {
    format: specId === null ? 'sha1' : 'crypto-agile',
    registers,
    specId,
    banks: specId === null ? ['sha1'] : Array.from(specId.algorithms.values(), (algorithm) => algorithm.bank),
    startupLocality: registers === 'mr' ? 0 : startupLocality(events, allowed, workarounds),
    events,
    paddingBytes: reader.left,
    workarounds,
  };
}

function readHeader(
  event: UntrustedEvent,
  bytes: Uint8Array,
  reader: LittleEndianReader,
  allowed: readonly Workaround[],
  used: Workaround[],
): SpecId {
  const mayTakeBehind = allowed.includes('spec-id-vendor-info-outside');
  const behind = bytes.subarray(mayTakeBehind ? reader.offset : bytes.length);
  const { specId, bytesTakenBehind } = readSpecId(event.data, behind);
  if (bytesTakenBehind > 0) {
    reader.bytes(bytesTakenBehind, 'Spec ID vendor information');
    used.push('spec-id-vendor-info-outside');
  }
  return specId;
}

/** TCG_PCClientPCREvent. */
function readSha1Event(reader: LittleEndianReader, number: number, lastRegister: number): UntrustedEvent {
  const pcr = readRegister(reader, number, lastRegister);
  const type = reader.u32('event type');
  const digest = reader.bytes(HASH_BYTES.sha1, 'event digest');
  const data = reader.bytes(reader.u32('event size'), 'event data');
  return { number, pcr, type, digests: new Map([['sha1', digest]]), data };
}

/** TCG_PCR_EVENT2: algorithms of the header, each at most once. Some logs lack banks that are switched off. */
function readAgileEvent(
  reader: LittleEndianReader,
  number: number,
  lastRegister: number,
  specId: SpecId,
): UntrustedEvent {
  const pcr = readRegister(reader, number, lastRegister);
  const type = reader.u32('event type');
  const count = reader.u32('event digest count');
  if (count > specId.algorithms.size) {
    throw new LogError(
      'LOG_DIGESTS_BAD',
      `event ${number} has ${count} digests, the log's header names ${specId.algorithms.size}`,
    );
  }
  const digests = new Map<string, Uint8Array>();
  for (let index = 0; index < count; index += 1) {
    const id = reader.u16('event digest algorithm');
    const algorithm = specId.algorithms.get(id);
    if (algorithm === undefined) {
      const hex = `0x${id.toString(16).padStart(4, '0')}`;
      throw new LogError(
        'LOG_ALGORITHM_UNKNOWN',
        `event ${number} has a digest of algorithm ${hex}, not in the header`,
      );
    }
    digests.set(algorithm.bank, reader.bytes(algorithm.bytes, 'event digest'));
  }
  if (digests.size !== count) {
    throw new LogError('LOG_DIGESTS_BAD', `event ${number} has two digests of the same algorithm`);
  }
  const data = reader.bytes(reader.u32('event size'), 'event data');
  return { number, pcr, type, digests, data };
}

function readRegister(reader: LittleEndianReader, number: number, lastRegister: number): number {
  const register = reader.u32('event register');
  if (register > lastRegister && register !== NO_PCR) {
    throw new LogError('LOG_EVENT_BAD', `event ${number} names register ${register}`);
  }
  return register;
}

/** How many bytes at the end are all 00 or all ff. Found once from behind: asking at every event would cost the square. */
function paddingLength(bytes: Uint8Array): number {
  const last = bytes[bytes.length - 1];
  if (last !== 0 && last !== 0xff) return 0;
  let start = bytes.length;
  while (start > 0 && bytes[start - 1] === last) start -= 1;
  return bytes.length - start;
}
