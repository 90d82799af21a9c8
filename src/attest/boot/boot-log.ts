/**
 * Judges the firmware's event log against the quoted registers: can it be read, does it explain all of them in every
 * quoted bank, do its banks agree, does it follow the profile apart from the oddities that the policy overlooks.
 */
import { equalBytes } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { type DecodedEvent, decodeEvent } from '../event-log/decode.ts';
import { LogError } from '../event-log/little-endian.ts';
import { type EventLog, parseEventLog } from '../event-log/parse.ts';
import { initialPcr } from '../event-log/replay.ts';
import { ALL_WORKAROUNDS } from '../event-log/workarounds.ts';
import type { ReferenceValues } from '../image/reference-values.ts';
import type { Failure, Ledger } from '../ledger.ts';
import type { Policy } from '../policy/policy.ts';
import type { QuotedRegisters } from '../quote/quoted-registers.ts';
import type { RefusalCode } from '../refusal-codes.ts';
import type { BankVerdict } from '../verdict.ts';
import { bankContradiction, bankVerdicts } from './firmware-banks.ts';
import { findOddities } from './firmware-oddities.ts';
import { explainRegisters } from './firmware-replay.ts';
import { grubTextFailure, oddityFailure, separatorFailure } from './firmware-rules.ts';
import type { UsedWorkaround } from './firmware-workaround-names.ts';

/** GRUB's registers: zero when a boot loader measured neither its commands nor the files it read. */
const BOOT_LOADER_PCRS = [8, 9] as const;
/** The bank that events are read in and reference values are written in. */
const BANK = 'sha256';
/** Fewer equal bytes behind the last event are no padding: an area that is filled up has room for an event. */
const MIN_PADDING_BYTES = 32;

export interface BootLogJudgement {
  /** Digests proven by replay; text only where `trust` is `bound`. Null after a failure. */
  readonly events: readonly DecodedEvent[] | null;
  readonly banks: readonly BankVerdict[];
  readonly workarounds: readonly UsedWorkaround[];
}

export interface BootLogExpectation {
  readonly policy: Pick<Policy, 'banks' | 'firmwareWorkarounds'>;
  /** To name the event in which a log differs from a release whose register was quoted. */
  readonly referenceValues: readonly ReferenceValues[];
}

const NOTHING: BootLogJudgement = { events: null, banks: [], workarounds: [] };

export function judgeBootLog(
  eventLog: Uint8Array,
  quoted: QuotedRegisters,
  { policy, referenceValues }: BootLogExpectation,
  crypto: AttestCrypto,
  ledger: Ledger,
): BootLogJudgement {
  const unmeasured = unmeasuredFailure(quoted);
  if (unmeasured !== null) return refuse(ledger, 'boot-measured', unmeasured);
  ledger.pass('boot-measured', 'A boot loader measured what it started.');

  const log = readLog(eventLog, policy);
  if ('code' in log) return refuse(ledger, 'event-log-format', log);
  ledger.pass('event-log-format', `The event log has ${log.events.length} well-formed events.`);

  const explained = explainRegisters(log, quoted, referenceValues, crypto);
  if ('failure' in explained) {
    const banks = bankVerdicts(log.banks, policy.banks, explained.capped);
    return { ...refuse(ledger, 'event-log-replay', explained.failure), banks };
  }
  ledger.pass('event-log-replay', 'Replaying the event log gives every quoted boot register.');

  const events = log.events.map((event) => decodeEvent(event, BANK, crypto));
  const seen = { bank: BANK, quotedBanks: policy.banks, ...explained } as const;
  const oddities = findOddities(log, events, seen, crypto);
  const broken =
    bankContradiction(log, events, BANK, crypto) ??
    oddityFailure(oddities, policy.firmwareWorkarounds) ??
    separatorFailure(events, policy.firmwareWorkarounds) ??
    grubTextFailure(events);
  const banks = bankVerdicts(log.banks, policy.banks, []);
  if (broken !== null) return { ...refuse(ledger, 'event-log-rules', broken), banks };
  ledger.pass('event-log-rules', 'The event log follows the rules of the firmware profile.');
  return { events, banks, workarounds: oddities };
}

function unmeasuredFailure(quoted: QuotedRegisters): Failure | null {
  const registers = quoted.get(BANK) ?? new Map<number, Uint8Array>();
  const unmeasured = BOOT_LOADER_PCRS.filter((index) => isInitial(index, registers));
  if (unmeasured.length === 0) return null;
  return {
    code: 'BOOT_NOT_MEASURED',
    family: 'policy',
    sentence: `Registers ${unmeasured.join(' and ')} were never extended: nothing measured the kernel and the initrd. A legacy BIOS boot looks like this.`,
    remedy: 'Start the machine in UEFI mode with Secure Boot on.',
  };
}

function readLog(eventLog: Uint8Array, policy: Pick<Policy, 'firmwareWorkarounds'>): EventLog | Failure {
  const allowed: readonly string[] = policy.firmwareWorkarounds;
  try {
    const log = parseEventLog(eventLog, {
      padding: allowed.includes('log-padding') ? 'allow' : 'refuse',
      workarounds: ALL_WORKAROUNDS.filter((name) => allowed.includes(name)),
    });
    if (log.paddingBytes === 0 || log.paddingBytes >= MIN_PADDING_BYTES) return log;
    throw new LogError('LOG_TRAILING_BYTES', `${log.paddingBytes} bytes after event ${log.events.length - 1}`);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return {
      code: eventLog.length === 0 ? 'EVENT_LOG_MISSING' : formatCode(error),
      family: 'malformed',
      sentence: eventLog.length === 0 ? 'There is no event log.' : `The event log cannot be read: ${error.message}.`,
    };
  }
}

function formatCode(error: LogError): RefusalCode {
  if (error.code === 'LOG_TRUNCATED') return 'EVENT_LOG_TRUNCATED';
  if (error.code === 'LOG_TRAILING_BYTES') return 'EVENT_LOG_TRAILING_BYTES';
  return 'EVENT_LOG_MALFORMED';
}

/** `pcrs` of the sha256 bank. */
export function isInitial(index: number, pcrs: ReadonlyMap<number, Uint8Array>): boolean {
  const value = pcrs.get(index);
  return value !== undefined && equalBytes(value, initialPcr(index, BANK));
}

function refuse(ledger: Ledger, name: string, failure: Failure): BootLogJudgement {
  ledger.fail(name, failure);
  return NOTHING;
}
