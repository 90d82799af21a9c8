/** Registers as the log says they came about: extend by extend, per bank. Equal to a quoted value, the log's digests are proven. */
import { concatBytes } from '../../shared/bytes.ts';
import type { AttestCrypto, HashName } from '../crypto.ts';
import { HASH_BYTES } from '../crypto.ts';
import { EventType } from './event-types.ts';
import type { EventLog } from './parse.ts';

export interface ReplayedBank {
  /** Registers that the log extends; the others keep `initialPcr`. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** Events that carry no digest of this bank, by number: a judge refuses these, a viewer skips them. */
  readonly eventsWithoutDigest: readonly number[];
}

/** Null for a bank this log has no digests for, or whose hash we cannot compute. */
export function replayBank(log: EventLog, bank: string, crypto: Pick<AttestCrypto, 'hash'>): ReplayedBank | null {
  if (!isHashName(bank) || !log.banks.includes(bank)) return null;
  const pcrs = new Map<number, Uint8Array>();
  const eventsWithoutDigest: number[] = [];
  for (const event of log.events) {
    if (event.type === EventType.NO_ACTION) continue; // informative: never extended (PFP §10.4.1)
    const digest = event.digests.get(bank);
    if (digest === undefined) {
      eventsWithoutDigest.push(event.number);
      continue;
    }
    pcrs.set(
      event.pcr,
      extend(pcrs.get(event.pcr) ?? initialPcr(event.pcr, bank, log.startupLocality), digest, bank, crypto),
    );
  }
  return { pcrs, eventsWithoutDigest };
}

export function extend(
  value: Uint8Array,
  digest: Uint8Array,
  bank: HashName,
  crypto: Pick<AttestCrypto, 'hash'>,
): Uint8Array {
  return crypto.hash(bank, concatBytes(value, digest));
}

/** After a reset: zeros, ones for the DRTM registers 17 to 22, the start-up locality in the last byte of register 0. */
export function initialPcr(index: number, bank: HashName, startupLocality = 0): Uint8Array {
  const value = new Uint8Array(HASH_BYTES[bank]);
  if (index >= 17 && index <= 22) value.fill(0xff);
  if (index === 0) value[value.length - 1] = startupLocality;
  return value;
}

export function isHashName(bank: string): bank is HashName {
  return Object.hasOwn(HASH_BYTES, bank);
}
