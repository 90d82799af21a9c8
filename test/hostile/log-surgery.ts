/** Takes logs apart into events as bytes, changes them without understanding, and puts them together again. */
import { parseEventLog } from '../../src/attest/event-log/parse.ts';
import { parseImaLog } from '../../src/attest/image/ima-log.ts';
import { concatBytes } from '../../src/shared/bytes.ts';

/** TCG_PCR_EVENT2 as bytes: register, type, then digests and data. */
export type EventBytes = Uint8Array;

export interface CutLog {
  readonly header: Uint8Array;
  readonly events: readonly EventBytes[];
}

/** A crypto-agile log. */
export function cutEventLog(bytes: Uint8Array): CutLog {
  const [header, ...events] = parseEventLog(bytes, { padding: 'refuse' }).events;
  let offset = 4 + 4 + 20 + 4 + (header?.data.length ?? 0);
  const cut = events.map(({ digests, data }) => {
    const digestBytes = [...digests.values()].reduce((sum, digest) => sum + 2 + digest.length, 0);
    const size = 4 + 4 + 4 + digestBytes + 4 + data.length;
    offset += size;
    return bytes.slice(offset - size, offset);
  });
  return { header: bytes.slice(0, 32 + (header?.data.length ?? 0)), events: cut };
}

export const joinEventLog = ({ header, events }: CutLog): Uint8Array => concatBytes(header, ...events);

export function withU32(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint32(offset, value, true);
  return copy;
}

export const registerOf = (event: EventBytes): number =>
  new DataView(event.buffer, event.byteOffset).getUint32(0, true);
export const withRegister = (event: EventBytes, pcr: number): EventBytes => withU32(event, 0, pcr);
export const withType = (event: EventBytes, type: number): EventBytes => withU32(event, 4, type);

/** Its data are its last `dataBytes` bytes. */
export function withDataByte(event: EventBytes, dataBytes: number, at: number, mask: number): EventBytes {
  const start = event.length - dataBytes;
  return Uint8Array.from(event, (byte, index) => (index === start + at ? byte ^ mask : byte));
}

/** binary_runtime_measurements, entry by entry. */
export function cutImaLog(bytes: Uint8Array): readonly Uint8Array[] {
  let offset = 0;
  return parseImaLog(bytes).map(({ template, templateData }) => {
    const size = 4 + 20 + 4 + template.length + 4 + templateData.length;
    offset += size;
    return bytes.slice(offset - size, offset);
  });
}
