/** Finds which known oddities (firmware-workarounds.ts) a proven log has: one pass, each test exact, first event named. */

import type { AttestCrypto, HashName } from './crypto.ts';
import type { DecodedEvent } from './event-log/decode.ts';
import { EventType } from './event-log/event-types.ts';
import type { EventLog } from './event-log/parse.ts';
import { actionDigests, actionOf } from './firmware-actions.ts';
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
  const found = new Map<WorkaroundName, { readonly event: number; count: number }>();
  const note = (name: WorkaroundName, event: number): void => {
    const before = found.get(name);
    if (before === undefined) found.set(name, { event, count: 1 });
    else before.count += 1;
  };
  const last = Math.max(0, log.events.length - 1);
  for (const name of log.workarounds) {
    if (name === 'spec-id-vendor-info-outside' || name === 'startup-locality-padded') note(name, 0);
  }
  if (log.paddingBytes > 0) note('log-padding', last);
  const optionalBanks = log.banks.filter((bank) => !quotedBanks.includes(bank));
  const separators = new Map<number, Uint8Array>();
  const digests = actionDigests(bank, crypto);
  let lastPcr5 = 0;
  let firstPcr4 = last;
  let called = false;
  let returned = false;
  let loaded = false;
  let invocations = 0;
  let successes = 0;
  for (const decoded of events) {
    const { event } = decoded;
    if (event.type === EventType.NO_ACTION) {
      if (carriesDigest(event.digests)) note('no-action-with-digest', event.number);
      continue;
    }
    if (log.specId !== null && optionalBanks.some((bank) => !event.digests.has(bank))) {
      note('bank-missing-in-events', event.number);
    }
    if (event.type === EventType.EFI_VARIABLE_AUTHORITY && decoded.boundBy === 'cut-data') {
      note('authority-last-byte-cut', event.number);
    }
    if (event.type === EventType.SEPARATOR && event.pcr <= LAST_FIRMWARE_PCR) {
      const other = separatorOddity(decoded);
      if (other !== null) note(other, event.number);
      if (separators.has(event.pcr)) note('separator-repeated', event.number);
      separators.set(event.pcr, event.data);
    }
    const action = event.pcr === 4 || event.pcr === 5 || event.pcr === 7 ? actionOf(event, bank, digests) : null;
    if (event.pcr === 4) {
      firstPcr4 = Math.min(firstPcr4, event.number);
      if (action === 'call' && returned && !loaded) note('earlier-boot-entry-failed', event.number);
      called ||= action === 'call';
      returned = action === 'return';
      loaded ||= action === null && event.type !== EventType.SEPARATOR;
    } else if (event.pcr === 5) {
      lastPcr5 = event.number;
      if (action === 'exitInvocation') invocations += 1;
      if (action === 'exitSuccess') successes += 1;
      const repeated = action === 'exitInvocation' ? invocations > 1 : action === 'exitSuccess' && successes > 1;
      if (repeated || action === 'exitFailure') note('exit-boot-services-repeated', event.number);
    } else if (event.pcr === 7) {
      if (action === 'dmaProtectionDisabled') note('dma-protection-disabled', event.number);
      if (action === 'debugMode') note('uefi-debug-mode', event.number);
    }
  }
  if (!called) note('boot-option-call-not-measured', firstPcr4);
  if (exitBootServices === 'not-logged') note('exit-boot-services-not-logged', lastPcr5);
  else if (exitBootServices === 'only-logged') note('exit-boot-services-only-logged', lastPcr5);
  else if (successes === 0) note('exit-boot-services-not-measured', lastPcr5);
  return Array.from(found, ([name, { event, count }]) => ({ name, event, sentence: sentenceOf(name, event, count) }));
}

/** A separator with other data than the profile's, out of a closed list; null for a good, a wrong and an unproven one. */
export function separatorOddity({ event, trust }: DecodedEvent): WorkaroundName | null {
  if (trust !== 'bound') return null;
  const { data } = event;
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
