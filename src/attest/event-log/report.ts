/** An event log as `attest log` shows it: for programs as JSON, for people as numbered lines. Text is marked unless a digest binds it. */
import { toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { BINDING_WORKAROUNDS } from './binding.ts';
import { type DecodedEvent, decodeEvent } from './decode.ts';
import { describeEvent } from './describe.ts';
import { detailJson, type Json } from './detail-json.ts';
import { eventTypeName } from './event-types.ts';
import type { EventLog } from './parse.ts';
import { replayBank, unreplayableBanks } from './replay.ts';
import { WORKAROUNDS, type Workaround } from './workarounds.ts';

export interface LogReport {
  readonly format: EventLog['format'];
  readonly registers: EventLog['registers'];
  readonly startupLocality: number;
  readonly paddingBytes: number;
  /** Deviations from the profile that had to be seen through; sentences in `WORKAROUNDS`. */
  readonly workarounds: readonly Workaround[];
  /** Replayed registers per bank, those that the log extends. */
  readonly banks: { readonly [bank: string]: { readonly [register: string]: string } };
  /** Banks whose hash is not among those we can compute: their digests are shown, not replayed. */
  readonly unreplayableBanks: readonly string[];
  readonly events: readonly LogReportEvent[];
}

export interface LogReportEvent {
  readonly number: number;
  readonly pcr: number;
  readonly type: string;
  readonly digests: { readonly [bank: string]: string };
  readonly sizeBytes: number;
  /** How the digest binds the data; null: description and detail are unproven. */
  readonly boundBy: string | null;
  readonly description: string;
  readonly detail: Json;
}

type Crypto = Pick<AttestCrypto, 'hash'>;

export function reportEventLog(log: EventLog, crypto: Crypto): LogReport {
  const events = decodeForShow(log, crypto);
  return { ...summary(log, events, crypto), events: events.map(reportEvent) };
}

type Summary = Omit<LogReport, 'events'>;

function summary(log: EventLog, events: readonly DecodedEvent[], crypto: Crypto): Summary {
  const banks: Record<string, Record<string, string>> = {};
  for (const bank of log.banks) {
    const replayed = replayBank(log, bank, crypto);
    if (replayed === null) continue;
    const registers = [...replayed.pcrs].sort(([a], [b]) => a - b);
    banks[bank] = Object.fromEntries(registers.map(([index, value]) => [index, toHex(value)]));
  }
  return {
    format: log.format,
    registers: log.registers,
    startupLocality: log.startupLocality,
    paddingBytes: log.paddingBytes,
    workarounds: usedWorkarounds(log, events),
    banks,
    unreplayableBanks: unreplayableBanks(log),
  };
}

function usedWorkarounds(log: EventLog, events: readonly DecodedEvent[]): readonly Workaround[] {
  const used = new Set(log.workarounds);
  for (const { boundBy } of events) {
    const workaround = boundBy == null ? null : BINDING_WORKAROUNDS[boundBy];
    if (workaround !== null) used.add(workaround);
  }
  return [...used];
}

/** Binding is shown for the strongest bank that the log has. */
function decodeForShow(log: EventLog, crypto: Crypto): readonly DecodedEvent[] {
  const bank = (['sha256', 'sha384', 'sha512', 'sha1'] as const).find((name) => log.banks.includes(name)) ?? 'sha256';
  return log.events.map((event) => decodeEvent(event, bank, crypto));
}

function reportEvent(decoded: DecodedEvent): LogReportEvent {
  const { event } = decoded;
  return {
    number: event.number,
    pcr: event.pcr,
    type: eventTypeName(event.type),
    digests: Object.fromEntries([...event.digests].map(([bank, digest]) => [bank, toHex(digest)])),
    sizeBytes: event.data.length,
    boundBy: decoded.boundBy ?? null,
    description: describeEvent(decoded),
    detail: detailJson(decoded),
  };
}

/** The same for people, without the work that only programs need. */
export function renderEventLog(log: EventLog, crypto: Crypto): string {
  const events = decodeForShow(log, crypto);
  const { banks, workarounds } = summary(log, events, crypto);
  const register = log.registers === 'mr' ? 'MR' : 'PCR';
  const lines = [
    `Event log, ${log.format}, ${events.length} events, banks ${log.banks.join(', ')}`,
    ...(log.startupLocality === 0 ? [] : [`Register 0 starts from locality ${log.startupLocality}.`]),
    ...(log.paddingBytes === 0 ? [] : [`${log.paddingBytes} padding bytes after the last event.`]),
    ...workarounds.map((name) => `${WORKAROUNDS[name]} [${name}]`),
    ...unreplayableBanks(log).map((bank) => `The bank ${bank} is shown, not replayed: its hash is not known here.`),
    '',
  ];
  for (const decoded of events) {
    const { event } = decoded;
    const pcr = event.pcr === 0xffffffff ? '--' : String(event.pcr).padStart(2);
    const head = `${String(event.number).padStart(4)}  ${register} ${pcr}  ${eventTypeName(event.type)}`;
    const text = `${printable(describeEvent(decoded))}${UNPROVEN[decoded.boundBy ?? 'nothing']}`;
    lines.push(`${head}${shownDigest(event.digests)}\n      ${text}`);
  }
  for (const [bank, registers] of Object.entries(banks)) {
    lines.push('', `Replayed ${bank}:`);
    for (const [index, value] of Object.entries(registers)) lines.push(`  ${index.padStart(2)}  ${value}`);
  }
  return lines.join('\n');
}

const UNPROVEN = { data: '', body: '', 'cut-data': '', value: ' (name unproven)', nothing: ' (unproven)' } as const;

/** One digest is enough to find an event again. */
function shownDigest(digests: ReadonlyMap<string, Uint8Array>): string {
  const bank = digests.has('sha256') ? 'sha256' : digests.has('sha1') ? 'sha1' : digests.keys().next().value;
  const digest = bank === undefined ? undefined : digests.get(bank);
  return digest === undefined ? '' : `\n      ${bank} ${toHex(digest)}`;
}

const PLAIN = /^[\x20-\x7e]*$/;

/** Event text is a stranger's: control and direction characters could repaint the reader's terminal. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u${hexCode(character)}`);
}

const hexCode = (character: string): string => (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0');
