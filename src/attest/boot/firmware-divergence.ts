/**
 * Which event of a log diverges from a quoted register. A register is one value, so this is a search for the single
 * change that explains it: an event that was not measured, doubled, swapped, or logged with another digest. Each guess
 * costs a replay of what follows; the search is bounded and says so when it finds nothing.
 */
import { equalBytes, fromHex, toHex } from '../../shared/bytes.ts';
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import { type DecodedEvent, decodeEvent } from '../event-log/decode.ts';
import { EventType, eventTypeName } from '../event-log/event-types.ts';
import { grubBodyOffset } from '../event-log/loader-data.ts';
import type { EventLog } from '../event-log/parse.ts';
import { extend, initialPcr } from '../event-log/replay.ts';
import { withoutNul } from '../event-log/text.ts';
import type { ReferenceValues } from '../image/reference-values.ts';
import { actionDigests } from './firmware-actions.ts';

type Crypto = Pick<AttestCrypto, 'hash'>;

export interface Divergence {
  /** Without a full stop. */
  readonly sentence: string;
  /** The number of the first event that diverges, or that cannot be confirmed; null when the register has none. */
  readonly event: number | null;
}

/** Extends spent on guesses for one register: about 20 ms. */
const MAX_EXTENDS = 20_000;

/** `quoted` is the value of `register` that the log does not lead to. */
export function divergence(
  log: EventLog,
  register: number,
  bank: HashName,
  quoted: Uint8Array,
  references: readonly ReferenceValues[],
  crypto: Crypto,
): Divergence {
  const events = log.events.filter(({ pcr, type }) => pcr === register && type !== EventType.NO_ACTION);
  const decoded = events.map((event) => decodeEvent(event, bank, crypto));
  const digests = events.map((event) => event.digests.get(bank) ?? new Uint8Array());
  const start = initialPcr(register, bank, log.startupLocality);
  return (
    fromReference(decoded, digests, register, bank, quoted, references) ??
    fromOneChange(decoded, digests, start, bank, quoted, crypto) ??
    besideReference(decoded, digests, register, bank, references) ??
    unconfirmed(decoded)
  );
}

/** The quoted value is a release's: the log differs from what that release measures. */
function fromReference(
  events: readonly DecodedEvent[],
  digests: readonly Uint8Array[],
  register: number,
  bank: HashName,
  quoted: Uint8Array,
  references: readonly ReferenceValues[],
): Divergence | null {
  if (bank !== 'sha256') return null;
  const value = toHex(quoted);
  const fits = (pcrs: { readonly [register: string]: string }): boolean => pcrs[String(register)] === value;
  const reference = references.find(({ pcrs }) => fits({ ...pcrs.cd }) || fits({ ...pcrs.usb }));
  if (reference === undefined) return null;
  const { name, version } = reference.image;
  const whole = `the register is that of ${name} ${version}, the log is not`;
  const { at, expected } = firstDifference(digests, register, reference);
  const event = events[at];
  if (event === undefined) {
    return { sentence: `${whole}: it ends before ${expected ?? 'its last event'}`, event: last(events) };
  }
  const instead = expected === null ? 'is one too many' : `stands where ${expected} was measured`;
  return { sentence: `${whole}: ${title(event)} ${instead}`, event: event.event.number };
}

/** Nothing explains the register; at least it can be said where the log leaves the release that it is closest to. */
function besideReference(
  events: readonly DecodedEvent[],
  digests: readonly Uint8Array[],
  register: number,
  bank: HashName,
  references: readonly ReferenceValues[],
): Divergence | null {
  if (bank !== 'sha256' || events.length === 0) return null;
  const compared = references
    .map((reference) => ({ reference, ...firstDifference(digests, register, reference) }))
    .filter(({ length }) => length > 0);
  const [closest] = compared.sort((a, b) => b.at - a.at);
  if (closest === undefined) return null;
  const { name, version } = closest.reference.image;
  const event = events[closest.at];
  if (event !== undefined) {
    const sentence = `no single event explains it; beside ${name} ${version}, the log first differs at ${title(event)}`;
    return { sentence, event: event.event.number };
  }
  const what =
    closest.expected === null ? 'the log is that of' : `the log ends before ${closest.expected}, beside that of`;
  const sentence = `no single event explains it; ${what} ${name} ${version}, and something else was measured`;
  return { sentence, event: last(events) };
}

/** `at`: how many events from the beginning are the release's; `expected`: what it has there, null behind its last. */
function firstDifference(
  digests: readonly Uint8Array[],
  register: number,
  reference: ReferenceValues,
): { readonly at: number; readonly expected: string | null; readonly length: number } {
  const wanted = reference.events.filter(({ pcr }) => pcr === register);
  const differs = wanted.findIndex(({ digest }, index) => {
    const logged = digests[index];
    return logged === undefined || !equalBytes(fromHex(digest), logged);
  });
  const at = differs === -1 ? wanted.length : differs;
  return { at, expected: wanted[at]?.component ?? null, length: wanted.length };
}

function fromOneChange(
  events: readonly DecodedEvent[],
  digests: readonly Uint8Array[],
  start: Uint8Array,
  bank: HashName,
  quoted: Uint8Array,
  crypto: Crypto,
): Divergence | null {
  let left = MAX_EXTENDS;
  const onto = (value: Uint8Array, digest: Uint8Array): Uint8Array => {
    left -= 1;
    return extend(value, digest, bank, crypto);
  };
  /** Whether `value`, extended by the digests from `from` on, is the quoted one. */
  const leads = (value: Uint8Array, from: number): boolean => {
    let end = value;
    for (let index = from; index < digests.length; index += 1) end = onto(end, digests[index] as Uint8Array);
    return equalBytes(end, quoted);
  };
  const at = (index: number, what: string): Divergence => {
    const event = events[index];
    if (event === undefined) return { sentence: what, event: last(events) };
    return { sentence: `${title(event)} ${what}`, event: event.event.number };
  };

  const before: Uint8Array[] = [start];
  for (const digest of digests) before.push(onto(before.at(-1) as Uint8Array, digest));
  const reached = before.findIndex((value) => equalBytes(value, quoted));
  if (reached !== -1) return at(reached, 'and all after it were not measured');
  for (const digest of Object.values(actionDigests(bank, crypto))) {
    if (equalBytes(onto(before.at(-1) as Uint8Array, digest), quoted)) {
      return { sentence: 'a last action of the firmware was measured and is not in the log', event: last(events) };
    }
  }
  // an event whose data and digest contradict each other is the likeliest culprit, and there are few
  for (const [index, event] of events.entries()) {
    if (event.trust === 'bound') continue;
    for (const reading of readings(event)) {
      const honest = crypto.hash(bank, reading);
      if (leads(onto(before[index] as Uint8Array, honest), index + 1)) {
        return at(index, 'is logged with another digest than its data has');
      }
    }
    if (left < 0) return null;
  }
  // from the end, where a guess costs least
  for (let index = digests.length - 1; index >= 0 && left > 0; index -= 1) {
    const value = before[index] as Uint8Array;
    const digest = digests[index] as Uint8Array;
    const next = digests[index + 1];
    if (leads(value, index + 1)) return at(index, 'was not measured');
    if (leads(onto(onto(value, digest), digest), index + 1)) return at(index, 'was measured twice, and is logged once');
    if (next !== undefined && leads(onto(onto(value, next), digest), index + 2)) {
      return at(index, 'and the one after it were measured the other way round');
    }
  }
  return null;
}

/** Nothing explains it: an honest pointer to where doubt begins. */
function unconfirmed(events: readonly DecodedEvent[]): Divergence {
  const doubtful = events.find(({ trust, event }) => trust !== 'bound' && ALWAYS_BOUND.has(event.type));
  if (doubtful !== undefined) {
    return {
      sentence: `no single event explains it; ${title(doubtful)} contradicts its own digest`,
      event: doubtful.event.number,
    };
  }
  const first = events.find(({ trust }) => trust !== 'bound') ?? events[0];
  if (first === undefined) return { sentence: 'it has no event', event: null };
  return {
    sentence: `no single event explains it; the first event that cannot be confirmed is ${title(first)}`,
    event: first.event.number,
  };
}

/** Types whose digest covers their data on every machine seen. */
const ALWAYS_BOUND: ReadonlySet<number> = new Set([
  EventType.EFI_VARIABLE_DRIVER_CONFIG,
  EventType.EFI_VARIABLE_AUTHORITY,
  EventType.EFI_VARIABLE_BOOT,
  EventType.EFI_ACTION,
  EventType.EFI_GPT_EVENT,
  EventType.SEPARATOR,
]);

/** What a digest over this data would be taken of. */
function readings({ event, detail }: DecodedEvent): readonly Uint8Array[] {
  if (detail.kind === 'variable') return [event.data, detail.variable.value];
  if (detail.kind !== 'grub-command' && detail.kind !== 'kernel-command-line') return [event.data];
  return [withoutNul(event.data.subarray(grubBodyOffset(event.data)))];
}

const title = ({ event }: DecodedEvent): string => `event ${event.number} (${eventTypeName(event.type)})`;
const last = (events: readonly DecodedEvent[]): number | null => events.at(-1)?.event.number ?? null;
