/** Crypto-agile event logs in any banks, and evidence whose quote covers several of them. */
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode, encode } from 'tpm2-ts/codec';
import { HASH_BYTES, type HashName } from '../../src/attest/crypto/crypto.ts';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import { EventType } from '../../src/attest/event-log/event-types.ts';
import { parseEventLog } from '../../src/attest/event-log/parse.ts';
import { extend, initialPcr, replayBank } from '../../src/attest/event-log/replay.ts';
import { type Evidence, QUOTED_PCRS } from '../../src/attest/evidence.ts';
import type { PolicyBank } from '../../src/attest/policy/policy.ts';
import { imaEntry, type WrittenEvent } from '../../src/attest/testing/event-log-writer.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import { ascii, attest } from './made-evidence.ts';

const IDS: { readonly [bank in HashName]: number } = { sha1: 4, sha256: 11, sha384: 12, sha512: 13 };
const u16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);

/** `measured`: what each bank's digest is over, where that is not the same for all. */
export type BankedEvent = WrittenEvent & { readonly measuredIn?: { readonly [bank: string]: Uint8Array } };

export function bankedLog(events: readonly BankedEvent[], banks: readonly HashName[]): Uint8Array {
  const specId = concatBytes(
    ascii('Spec ID Event03\0'),
    Uint8Array.of(0, 0, 0, 0, 0, 2, 0, 2),
    u32(banks.length),
    ...banks.flatMap((bank) => [u16(IDS[bank]), u16(HASH_BYTES[bank])]),
    Uint8Array.of(0),
  );
  const header = concatBytes(u32(0), u32(EventType.NO_ACTION), new Uint8Array(20), u32(specId.length), specId);
  const written = events.map((event) =>
    concatBytes(
      u32(event.pcr),
      u32(event.type),
      u32(banks.length),
      ...banks.flatMap((bank) => [
        u16(IDS[bank]),
        crypto.hash(bank, event.measuredIn?.[bank] ?? event.measured ?? event.data),
      ]),
      u32(event.data.length),
      event.data,
    ),
  );
  return concatBytes(header, ...written);
}

/** Registers that a TPM would hold after this log and the start of IMA; `change` makes them others before they are quoted. */
export function quotedOver(
  eventLog: Uint8Array,
  banks: readonly PolicyBank[],
  change: (bank: PolicyBank, registers: Uint8Array[]) => void = () => undefined,
): Evidence {
  const log = parseEventLog(eventLog, { padding: 'refuse' });
  const registers = new Map(
    banks.map((bank) => {
      const replayed = replayBank(log, bank, crypto)?.pcrs;
      return [bank, QUOTED_PCRS.map((pcr) => replayed?.get(pcr) ?? initialPcr(pcr, bank))];
    }),
  );
  for (const [bank, values] of registers) change(bank, values);
  const aggregate = crypto.hash('sha256', concatBytes(...(registers.get('sha256') ?? []).slice(0, 10)));
  const ima = imaEntry(aggregate, 'boot_aggregate', crypto);
  for (const [bank, values] of registers) {
    const measured = bank === 'sha256' ? ima.extended : crypto.hash(bank, ima.bytes);
    values[10] = extend(values[10] ?? initialPcr(10, bank), measured, bank, crypto);
  }
  const pcrDigest = crypto.hash('sha256', concatBytes(...[...registers.values()].flat()));
  const statement = (bytes: Uint8Array): Uint8Array => {
    const quote = decode(tpmsAttest, bytes);
    if (quote.type !== 'quote') throw new Error('the machine makes quotes');
    return encode(tpmsAttest, { ...quote, pcrSelect: banks.map((hash) => ({ hash, pcrs: QUOTED_PCRS })), pcrDigest });
  };
  return {
    ...attest({ statement }),
    eventLog,
    imaLog: ima.bytes,
    pcrs: Object.fromEntries([...registers].map(([bank, values]) => [bank, Object.fromEntries(values.entries())])),
  };
}
