/** An event log as `attest log` shows it: for programs as JSON, for people as numbered lines. Text is marked unless a digest binds it. */
import { toHex } from '../../shared/bytes.ts';
import { type AttestCrypto, HASH_BYTES } from '../crypto.ts';
import { type DecodedEvent, decodeEvent } from './decode.ts';
import { EventType, eventTypeName } from './event-types.ts';
import type { EventLog } from './parse.ts';
import { isHashName, replayBank } from './replay.ts';

export interface LogReport {
  readonly format: EventLog['format'];
  readonly startupLocality: number;
  readonly paddingBytes: number;
  /** Replayed registers per bank, those that the log extends. */
  readonly banks: { readonly [bank: string]: { readonly [pcr: string]: string } };
  readonly events: readonly LogReportEvent[];
}

export interface LogReportEvent {
  readonly number: number;
  readonly pcr: number;
  readonly type: string;
  readonly digests: { readonly [bank: string]: string };
  readonly sizeBytes: number;
  /** How the digest binds the data; null: the description is unproven. */
  readonly boundBy: string | null;
  readonly description: string;
}

export function reportEventLog(log: EventLog, crypto: Pick<AttestCrypto, 'hash'>): LogReport {
  const banks: Record<string, Record<string, string>> = {};
  for (const bank of log.banks) {
    const replayed = replayBank(log, bank, crypto);
    if (replayed === null) continue;
    const registers = [...replayed.pcrs].sort(([a], [b]) => a - b);
    banks[bank] = Object.fromEntries(registers.map(([index, value]) => [index, toHex(value)]));
  }
  const bank = (['sha256', 'sha384', 'sha512', 'sha1'] as const).find((name) => log.banks.includes(name)) ?? 'sha256';
  return {
    format: log.format,
    startupLocality: log.startupLocality,
    paddingBytes: log.paddingBytes,
    banks,
    events: log.events.map((event) => reportEvent(decodeEvent(event, bank, crypto))),
  };
}

function reportEvent(decoded: DecodedEvent): LogReportEvent {
  const { event } = decoded;
  return {
    number: event.number,
    pcr: event.pcr,
    type: eventTypeName(event.type),
    digests: Object.fromEntries([...event.digests].map(([bank, digest]) => [bank, toHex(digest)])),
    sizeBytes: event.data.length,
    boundBy: decoded.trust === 'bound' ? decoded.boundBy : null,
    description: describe(decoded),
  };
}

function describe({ event, detail }: DecodedEvent): string {
  switch (detail.kind) {
    case 'variable':
      return `${detail.variable.name} (${detail.variable.guid}), ${detail.variable.value.length} bytes${booleanNote(detail.variable.value)}`;
    case 'text':
      return detail.text;
    case 'separator':
      return `separator: ${detail.meaning}`;
    case 'image':
      return detail.devicePath === '' ? `image of ${detail.sizeBytes} bytes` : `image ${detail.devicePath}`;
    case 'grub-command':
      return `GRUB command: ${detail.text}`;
    case 'kernel-command-line':
      return `kernel command line: ${detail.text}`;
    case 'file':
      return `file ${detail.name}`;
    case 'load-options':
    case 'initrd':
      return detail.label;
    case 'opaque':
      return event.type === EventType.NO_ACTION
        ? `information, ${event.data.length} bytes`
        : `${event.data.length} bytes`;
  }
}

function booleanNote(value: Uint8Array): string {
  return value.length === 1 ? `: ${value[0]}` : '';
}

export function renderLog(report: LogReport): string {
  const lines = [
    `Event log, ${report.format}, ${report.events.length} events, banks ${Object.keys(report.banks).join(', ')}`,
    ...(report.startupLocality === 0 ? [] : [`Register 0 starts from locality ${report.startupLocality}.`]),
    ...(report.paddingBytes === 0 ? [] : [`${report.paddingBytes} padding bytes after the last event.`]),
    '',
  ];
  for (const event of report.events) {
    const digest = Object.entries(event.digests).sort(([a], [b]) => width(b) - width(a))[0];
    const pcr = event.pcr === 0xffffffff ? '--' : String(event.pcr).padStart(2);
    lines.push(`${String(event.number).padStart(4)}  PCR ${pcr}  ${event.type}`);
    if (digest !== undefined) lines.push(`      ${digest[0]} ${digest[1]}`);
    lines.push(`      ${printable(event.description)}${event.boundBy === null ? ' (unproven)' : ''}`);
  }
  for (const [bank, registers] of Object.entries(report.banks)) {
    lines.push('', `Replayed ${bank}:`);
    for (const [index, value] of Object.entries(registers)) lines.push(`  ${index.padStart(2)}  ${value}`);
  }
  return lines.join('\n');
}

const width = (bank: string): number =>
  isHashName(bank) && bank !== 'sha384' && bank !== 'sha512' ? HASH_BYTES[bank] : 0;

/** Event text is a stranger's: control and direction characters could repaint the reader's terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u${hexCode(character)}`);
}

const hexCode = (character: string): string => (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0');
