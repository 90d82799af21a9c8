/** Judges the firmware's event log against the quoted registers: can it be read, does it explain them, all of them. */
import { equalBytes, toHex } from '../shared/bytes.ts';
import type { AttestCrypto } from './crypto.ts';
import { type DecodedEvent, decodeEvent } from './event-log/decode.ts';
import { EventType } from './event-log/event-types.ts';
import { LogError } from './event-log/little-endian.ts';
import { parseEventLog } from './event-log/parse.ts';
import { initialPcr, replayBank } from './event-log/replay.ts';
import { CONFIGURATION_PCR } from './evidence.ts';
import { IMA_PCR } from './ima-log.ts';
import type { Failure, Ledger } from './ledger.ts';
import type { RefusalCode } from './refusal-codes.ts';

/** GRUB's registers: zero when a boot loader measured neither its commands nor the files it read. */
const BOOT_LOADER_PCRS = [8, 9] as const;
const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** The log's events, digests proven by replay; text only where `trust` is `bound`. Null after a failure. */
export function judgeBootLog(
  eventLog: Uint8Array,
  pcrs: ReadonlyMap<number, Uint8Array>,
  crypto: AttestCrypto,
  ledger: Ledger,
): readonly DecodedEvent[] | null {
  const unmeasured = BOOT_LOADER_PCRS.filter((index) => isInitial(index, pcrs));
  if (unmeasured.length > 0) {
    return refuse(ledger, 'boot-measured', {
      code: 'BOOT_NOT_MEASURED',
      family: 'policy',
      sentence: `Registers ${unmeasured.join(' and ')} were never extended: nothing measured the kernel and the initrd. A legacy BIOS boot looks like this.`,
      remedy: 'Start the machine in UEFI mode with Secure Boot on.',
    });
  }
  ledger.pass('boot-measured', 'A boot loader measured what it started.');

  let log: ReturnType<typeof parseEventLog>;
  try {
    log = parseEventLog(eventLog, { padding: 'refuse' });
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return refuse(ledger, 'event-log-format', {
      code: eventLog.length === 0 ? 'EVENT_LOG_MISSING' : formatCode(error),
      family: 'malformed',
      sentence: eventLog.length === 0 ? 'There is no event log.' : `The event log cannot be read: ${error.message}.`,
    });
  }
  const replayed = replayBank(log, 'sha256', crypto);
  if (replayed === null || replayed.eventsWithoutDigest.length > 0) {
    return refuse(ledger, 'event-log-format', {
      code: 'EVENT_LOG_BANK_MISSING',
      family: 'policy',
      sentence: `The event log lacks sha256 digests; it has ${log.banks.join(', ')}.`,
      remedy: "Switch the TPM's SHA-256 bank on in the firmware setup.",
    });
  }
  ledger.pass('event-log-format', `The event log has ${log.events.length} well-formed events.`);

  const mismatch = replayFailure(replayed.pcrs, pcrs, log.startupLocality);
  if (mismatch !== null) return refuse(ledger, 'event-log-replay', mismatch);
  ledger.pass('event-log-replay', 'Replaying the event log gives every quoted boot register.');

  const events = log.events.map((event) => decodeEvent(event, 'sha256', crypto));
  const broken = ruleFailure(events);
  if (broken !== null) return refuse(ledger, 'event-log-rules', broken);
  ledger.pass('event-log-rules', 'The event log follows the rules of the firmware profile.');
  return events;
}

function formatCode(error: LogError): RefusalCode {
  if (error.code === 'LOG_TRUNCATED') return 'EVENT_LOG_TRUNCATED';
  if (error.code === 'LOG_TRAILING_BYTES') return 'EVENT_LOG_TRAILING_BYTES';
  return 'EVENT_LOG_MALFORMED';
}

/** Registers 10 and 12 are extended by the running system and have their own records. */
function replayFailure(
  replayed: ReadonlyMap<number, Uint8Array>,
  quoted: ReadonlyMap<number, Uint8Array>,
  startupLocality: number,
): Failure | null {
  for (const [index, value] of quoted) {
    const fromLog = replayed.get(index);
    if (fromLog === undefined && (index === IMA_PCR || index === CONFIGURATION_PCR)) continue;
    const explained = fromLog ?? initialPcr(index, 'sha256', startupLocality);
    if (equalBytes(explained, value)) continue;
    const difference = { component: `register ${index}`, expected: toHex(value), actual: toHex(explained) };
    if (fromLog === undefined) {
      const sentence = `Register ${index} was extended, and no event says with what.`;
      return { code: 'PCR_UNEXPLAINED', family: 'false', sentence, difference };
    }
    return {
      code: 'EVENT_LOG_REPLAY_MISMATCH',
      family: 'false',
      sentence: `The event log does not lead to the quoted value of register ${index}: events are missing, added or altered.`,
      difference,
    };
  }
  return null;
}

/** One separator per firmware register, none of them an error; NO_ACTION events carry no digest. */
function ruleFailure(events: readonly DecodedEvent[]): Failure | null {
  const rule = (sentence: string): Failure => ({ code: 'EVENT_LOG_RULE_BROKEN', family: 'false', sentence });
  for (const { event } of events) {
    if (event.type !== EventType.NO_ACTION) continue;
    for (const digest of event.digests.values()) {
      if (digest.some((byte) => byte !== 0)) return rule(`Event ${event.number} extends nothing and carries a digest.`);
    }
  }
  for (const index of FIRMWARE_PCRS) {
    const separators = events.filter(({ event }) => event.pcr === index && event.type === EventType.SEPARATOR);
    const [separator] = separators;
    if (separator === undefined || separators.length > 1) {
      return rule(`Register ${index} has ${separators.length} separators instead of one.`);
    }
    if (separator.trust !== 'bound' || separator.detail.kind !== 'separator' || separator.detail.meaning !== 'ok') {
      return {
        code: 'FIRMWARE_REPORTED_ERROR',
        family: 'policy',
        sentence: `The separator of register ${index} is not the one of a boot without errors.`,
      };
    }
  }
  return null;
}

export function isInitial(index: number, pcrs: ReadonlyMap<number, Uint8Array>): boolean {
  const value = pcrs.get(index);
  return value !== undefined && equalBytes(value, initialPcr(index, 'sha256'));
}

function refuse(ledger: Ledger, name: string, failure: Failure): null {
  ledger.fail(name, failure);
  return null;
}
