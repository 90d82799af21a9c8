/** Finds which known oddities (firmware-workarounds.ts) a proven log has: each test exact, the first event named. */

import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { EventType } from '../event-log/event-types.ts';
import type { EventLog } from '../event-log/parse.ts';
import { type Action, actionDigests, actionOf } from './firmware-actions.ts';
import type { UsedWorkaround, WorkaroundName } from './firmware-workaround-names.ts';

/** How register 5 came to its quoted value, as far as ExitBootServices goes. */
export type ExitBootServices = 'as-logged' | 'not-logged' | 'only-logged';

const LAST_FIRMWARE_PCR = 7;

export interface Seen {
  /** The bank that the events were decoded in. */
  readonly bank: HashName;
  /** A digest that one of these lacks is no oddity but a failure, found elsewhere. */
  readonly quotedBanks: readonly string[];
  readonly exitBootServices: ExitBootServices;
}

export function findOddities(
  log: EventLog,
  events: readonly DecodedEvent[],
  { bank, quotedBanks, exitBootServices }: Seen,
  crypto: Pick<AttestCrypto, 'hash'>,
): readonly UsedWorkaround[] {
  const notes = newNotes();
  noteFormat(log, events, quotedBanks, notes);
  const measured = events.filter(({ event }) => event.type !== EventType.NO_ACTION);
  noteSeparators(measured, notes);
  const digests = actionDigests(bank, crypto);
  const actionsOf = (pcr: number): readonly Measured[] =>
    measured
      .filter(({ event }) => event.pcr === pcr)
      .map((decoded) => ({ decoded, number: decoded.event.number, action: actionOf(decoded.event, bank, digests) }));
  noteSecureBoot(actionsOf(7), notes);
  noteBootOptions(actionsOf(4), notes);
  noteExitBootServices(actionsOf(5), exitBootServices, notes);
  return notes.used();
}

/** An event of one register, with the text of the firmware that its digest is of. */
interface Measured {
  readonly decoded: DecodedEvent;
  readonly number: number;
  readonly action: Action | null;
}

interface Notes {
  add(name: WorkaroundName, event: number): void;
  used(): readonly UsedWorkaround[];
}

function newNotes(): Notes {
  const found = new Map<WorkaroundName, { readonly event: number; count: number }>();
  return {
    add: (name, event) => {
      const before = found.get(name);
      if (before === undefined) found.set(name, { event, count: 1 });
      else before.count += 1;
    },
    used: () =>
      Array.from(found, ([name, { event, count }]) => ({ name, event, sentence: sentenceOf(name, event, count) })),
  };
}

function noteFormat(log: EventLog, events: readonly DecodedEvent[], quoted: readonly string[], notes: Notes): void {
  for (const name of log.workarounds) {
    if (name === 'spec-id-vendor-info-outside' || name === 'startup-locality-padded') notes.add(name, 0);
  }
  if (log.paddingBytes > 0) notes.add('log-padding', Math.max(0, log.events.length - 1));
  const optional = log.specId === null ? [] : log.banks.filter((bank) => !quoted.includes(bank));
  for (const { event } of events) {
    if (event.type === EventType.NO_ACTION) {
      if (carriesDigest(event.digests)) notes.add('no-action-with-digest', event.number);
    } else if (optional.some((bank) => !event.digests.has(bank))) {
      notes.add('bank-missing-in-events', event.number);
    }
  }
}

function noteSeparators(measured: readonly DecodedEvent[], notes: Notes): void {
  const seen = new Set<number>();
  for (const decoded of measured) {
    const { event } = decoded;
    if (event.type !== EventType.SEPARATOR || event.pcr > LAST_FIRMWARE_PCR) continue;
    const other = separatorOddity(decoded);
    if (other !== null) notes.add(other, event.number);
    if (seen.has(event.pcr)) notes.add('separator-repeated', event.number);
    seen.add(event.pcr);
  }
}

function noteSecureBoot(register: readonly Measured[], notes: Notes): void {
  for (const { decoded, number, action } of register) {
    if (action === 'dmaProtectionDisabled') notes.add('dma-protection-disabled', number);
    if (action === 'debugMode') notes.add('uefi-debug-mode', number);
    // asked only of authorities: what binds an event costs a hash
    const isAuthority = decoded.event.type === EventType.EFI_VARIABLE_AUTHORITY;
    if (isAuthority && decoded.boundBy === 'cut-data') notes.add('authority-last-byte-cut', number);
  }
}

/** An entry that returned after an image had been loaded is no oddity: something else ran. */
function noteBootOptions(register: readonly Measured[], notes: Notes): void {
  let returned = false;
  let loaded = false;
  for (const { decoded, number, action } of register) {
    if (action === 'call' && returned && !loaded) notes.add('earlier-boot-entry-failed', number);
    returned = action === 'return';
    loaded ||= action === null && decoded.event.type !== EventType.SEPARATOR;
  }
  const first = register[0]?.number ?? 0;
  if (!register.some(({ action }) => action === 'call')) notes.add('boot-option-call-not-measured', first);
}

function noteExitBootServices(register: readonly Measured[], explained: ExitBootServices, notes: Notes): void {
  const seen = new Set<Action>();
  for (const { number, action } of register) {
    if (action !== 'exitInvocation' && action !== 'exitSuccess' && action !== 'exitFailure') continue;
    if (action === 'exitFailure' || seen.has(action)) notes.add('exit-boot-services-repeated', number);
    seen.add(action);
  }
  const last = register.at(-1)?.number ?? 0;
  if (explained !== 'as-logged') notes.add(`exit-boot-services-${explained}`, last);
  else if (!seen.has('exitSuccess')) notes.add('exit-boot-services-not-measured', last);
}

/** A separator with other data than the profile's, out of a closed list; null for a good, a wrong and an unproven one. */
export function separatorOddity(decoded: DecodedEvent): WorkaroundName | null {
  const { data } = decoded.event;
  if (data.length === 4 && (data[0] === 0 || data[0] === 0xff)) return null; // no text, good or not
  if (decoded.trust !== 'bound') return null;
  if (data.length === 1 && data[0] === 0xff) return 'separator-one-byte';
  if (data.length !== 4 && data.length !== 7 && data.length !== 8) return null;
  const text = String.fromCharCode(...data).replace(/\0$/, '');
  if (text === 'WBCL') return 'separator-windows-wbcl';
  return text === 'skiboot' ? 'separator-skiboot' : null;
}

function carriesDigest(digests: ReadonlyMap<string, Uint8Array>): boolean {
  for (const digest of digests.values()) {
    for (const byte of digest) if (byte !== 0) return true;
  }
  return false;
}

const WORDS: { readonly [name in WorkaroundName]: string } = {
  'spec-id-vendor-info-outside': "The header's vendor information lies behind the header event",
  'startup-locality-padded': 'The event that states the start-up locality is padded with zeros',
  'log-padding': 'The log is padded behind its last event',
  'no-action-with-digest': 'An event that extends nothing carries a digest',
  'bank-missing-in-events': 'An event lacks the digest of a bank that the header names and no quote covers',
  'authority-last-byte-cut': "The digest of shim's authority leaves out the last byte of padding",
  'separator-repeated': 'A register has a second separator',
  'separator-windows-wbcl': "A separator's data is 'WBCL'",
  'separator-one-byte': "A separator's data is one byte ff",
  'separator-skiboot': "A separator's data is 'skiboot'",
  'boot-option-call-not-measured': 'The firmware did not measure that it called a boot option',
  'earlier-boot-entry-failed': 'A boot entry before ours returned without having loaded an image',
  'exit-boot-services-not-measured': 'The firmware did not measure that the kernel took over',
  'exit-boot-services-repeated': 'The kernel had to ask more than once to take over',
  'exit-boot-services-not-logged': 'Register 5 holds ExitBootServices, the log does not',
  'exit-boot-services-only-logged': 'The log holds ExitBootServices, register 5 does not',
  'dma-protection-disabled': 'The firmware says that its DMA protection is switched off',
  'uefi-debug-mode': 'The firmware says that a debugger is allowed',
};

function sentenceOf(name: WorkaroundName, event: number, count: number): string {
  const more = count === 1 ? '' : ` and ${count - 1} more`;
  return `${WORDS[name]} (event ${event}${more}).`;
}
