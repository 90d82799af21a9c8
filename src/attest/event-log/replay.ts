/** Registers as the log says they came about: extend by extend, per bank. Equal to a quoted value, the log's digests are proven. */
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import { HASH_BYTES } from '../crypto/crypto.ts';
import { EventType } from './event-types.ts';
import type { EventLog } from './parse.ts';

export interface ReplayedBank {
  /** Registers that the log extends; the others keep `initialPcr`. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** Events that carry no digest of this bank, by number: a judge refuses these, a viewer skips them. */
  readonly eventsWithoutDigest: readonly number[];
}

type Crypto = Pick<AttestCrypto, 'hash'>;

/** Null for a bank this log has no digests for, or whose hash we cannot compute (`unreplayableBanks`). */
export function replayBank(log: EventLog, bank: string, crypto: Crypto): ReplayedBank | null {
  if (!isHashName(bank) || !log.banks.includes(bank)) return null;
  const bytes = HASH_BYTES[bank];
  const pcrs = new Map<number, Uint8Array>();
  const eventsWithoutDigest: number[] = [];
  const extended = new Uint8Array(2 * bytes); // value and digest side by side, for every extend anew
  let launched = false;
  for (const event of log.events) {
    launched ||= event.type === EventType.TXT_HASH_START;
    if (event.type === EventType.NO_ACTION) continue; // informative: never extended (PFP §10.4.1)
    const digest = event.digests.get(bank);
    if (digest === undefined) {
      eventsWithoutDigest.push(event.number);
      continue;
    }
    extended.set(pcrs.get(event.pcr) ?? initialRegister(log, event.pcr, bank, launched));
    extended.set(digest, bytes);
    pcrs.set(event.pcr, crypto.hash(bank, extended));
  }
  return { pcrs, eventsWithoutDigest };
}

/** Banks whose digests are read and shown but not replayed: their hash is not among those we can compute. */
export function unreplayableBanks(log: EventLog): readonly string[] {
  return log.banks.filter((bank) => !isHashName(bank));
}

export function extend(value: Uint8Array, digest: Uint8Array, bank: HashName, crypto: Crypto): Uint8Array {
  const extended = new Uint8Array(value.length + digest.length);
  extended.set(value);
  extended.set(digest, value.length);
  return crypto.hash(bank, extended);
}

/** After a reset: zeros, ones for the DRTM registers 17 to 22, the start-up locality in the last byte of register 0. */
export function initialPcr(index: number, bank: HashName, startupLocality = 0): Uint8Array {
  const value = new Uint8Array(HASH_BYTES[bank]);
  if (isDrtm(index)) value.fill(0xff);
  if (index === 0) value[value.length - 1] = startupLocality;
  return value;
}

/**
 * Before its first event. A DRTM register holds ones until a dynamic launch resets it to zero; the log of such a launch
 * says so with Intel TXT's HASH_START.
 */
function initialRegister(log: EventLog, index: number, bank: HashName, launched: boolean): Uint8Array {
  if (log.registers === 'mr' || (launched && isDrtm(index))) return new Uint8Array(HASH_BYTES[bank]);
  return initialPcr(index, bank, log.startupLocality);
}

const isDrtm = (index: number): boolean => index >= 17 && index <= 22;

export function isHashName(bank: string): bank is HashName {
  return Object.hasOwn(HASH_BYTES, bank);
}
