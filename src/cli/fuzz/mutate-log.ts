/** Changes a crypto-agile event log by its events: dropped, doubled, many times, swapped, relabelled, spliced from others. */
import { concatBytes } from '../../shared/bytes.ts';
import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

const TYPES = [1, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18] as const;
const EFI_TYPES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 0xe0, 0xe1, 0xe2] as const;

export function mutateLog(
  input: Uint8Array,
  others: readonly Uint8Array[],
  maxBytes: number,
  random: Random,
): Uint8Array {
  const cut = cutEvents(input);
  if (cut === null || cut.length < 2 || random.chance(4)) return mutateBytes(input, others, maxBytes, random);
  const [header = input, ...events] = cut;
  let changed: readonly Uint8Array[] = events;
  for (let left = 1 + random.below(3); left > 0; left -= 1) changed = changeEvents(changed, others, random);
  return concatBytes(header, ...changed).subarray(0, maxBytes);
}

function changeEvents(
  events: readonly Uint8Array[],
  others: readonly Uint8Array[],
  random: Random,
): readonly Uint8Array[] {
  const at = random.below(events.length);
  const event = events[at];
  if (event === undefined) return events;
  switch (random.below(8)) {
    case 0:
      return events.toSpliced(at, 1);
    case 1:
      return events.toSpliced(at, 0, event);
    case 2:
      return events.toSpliced(at, 0, ...Array.from({ length: random.below(400) }, () => event));
    case 3:
      return events.toSpliced(at, 1).toSpliced(random.below(events.length), 0, event);
    case 4:
      return events.with(
        at,
        withU32(event, 4, random.chance(3) ? random.pick(TYPES) : 0x80000000 + random.pick(EFI_TYPES)),
      );
    case 5:
      return events.with(at, withU32(event, 0, random.below(25)));
    case 6: {
      const donor = cutEvents(random.pick(others) ?? new Uint8Array());
      return events.toSpliced(at, 0, random.pick(donor?.slice(1) ?? []) ?? event);
    }
    default: {
      // other data of any length, the size field set right
      const sizeAt = sizeOffset(event);
      const data = mutateBytes(event.subarray(sizeAt + 4), others, 100_000, random);
      const head = Uint8Array.from(event.subarray(0, sizeAt + 4));
      return events.with(at, concatBytes(withU32(head, sizeAt, data.length), data));
    }
  }
}

/** Header event and events as bytes, as far as they can be told apart by a reader that trusts all. Null where it cannot. */
function cutEvents(bytes: Uint8Array): readonly Uint8Array[] | null {
  if (bytes.length < 32) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events = [];
  let at = 32 + view.getUint32(28, true);
  if (at > bytes.length) return null;
  events.push(bytes.subarray(0, at));
  while (at + 12 <= bytes.length) {
    const end = eventEnd(bytes, view, at);
    if (end === null) return events;
    events.push(bytes.subarray(at, end));
    at = end;
  }
  return events;
}

const DIGEST_BYTES: { readonly [algorithm: number]: number } = { 4: 20, 11: 32, 12: 48, 13: 64, 18: 32 };

function eventEnd(bytes: Uint8Array, view: DataView, start: number): number | null {
  const count = view.getUint32(start + 8, true);
  let at = start + 12;
  for (let index = 0; index < count; index += 1) {
    if (index > 8 || at + 2 > bytes.length) return null;
    const size = DIGEST_BYTES[view.getUint16(at, true)];
    if (size === undefined) return null;
    at += 2 + size;
  }
  if (at + 4 > bytes.length) return null;
  const end = at + 4 + view.getUint32(at, true);
  return end > bytes.length ? null : end;
}

function sizeOffset(event: Uint8Array): number {
  const view = new DataView(event.buffer, event.byteOffset, event.byteLength);
  let at = 12;
  for (let index = 0; index < view.getUint32(8, true); index += 1)
    at += 2 + (DIGEST_BYTES[view.getUint16(at, true)] ?? 0);
  return at;
}

function withU32(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint32(offset, value, true);
  return copy;
}
