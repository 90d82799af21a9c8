/** Which byte of an event log belongs to what: for saying precisely which bytes no digest covers. */
import type { AttestCrypto } from '../../src/attest/crypto/crypto.ts';
import { decodeEvent } from '../../src/attest/event-log/decode.ts';
import type { EventLog } from '../../src/attest/event-log/parse.ts';

export type LogField = 'header' | 'register' | 'type' | 'digests' | 'size' | 'bound data' | 'unproven data';

/** One entry per byte of a crypto-agile log. */
export function logFields(log: EventLog, bytes: number, crypto: Pick<AttestCrypto, 'hash'>): readonly LogField[] {
  const fields: LogField[] = [];
  const put = (field: LogField, count: number): void => {
    for (let index = 0; index < count; index += 1) fields.push(field);
  };
  const [header, ...events] = log.events;
  if (header === undefined) return fields;
  put('header', 4 + 4 + 20 + 4 + header.data.length);
  for (const event of events) {
    put('register', 4);
    put('type', 4);
    put('digests', 4 + [...event.digests.values()].reduce((sum, digest) => sum + 2 + digest.length, 0));
    put('size', 4);
    put(decodeEvent(event, 'sha256', crypto).trust === 'bound' ? 'bound data' : 'unproven data', event.data.length);
  }
  if (fields.length !== bytes) throw new Error(`the log has ${bytes} bytes, its events ${fields.length}`);
  return fields;
}
