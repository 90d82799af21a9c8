/** Machines come again, with the same keys and certificates: what was made of their bytes once is kept, within bounds. */
import { equalBytes } from '../shared/bytes.ts';

/**
 * `make`, and the last `count` values that it made, found by `identityOf` their subjects, which must tell any two apart.
 * What it throws is not remembered. Values must hold nothing of their subject that its sender could change later.
 */
export function remembering<Subject, Value>(
  count: number,
  identityOf: (subject: Subject) => Uint8Array,
  make: (subject: Subject) => Value,
): (subject: Subject) => Value {
  if (count === 0) return make;
  const kept = new Map<number, { readonly identity: Uint8Array; readonly value: Value }>();
  return (subject) => {
    const identity = identityOf(subject);
    const place = placeOf(identity);
    const known = kept.get(place);
    const entry =
      known !== undefined && equalBytes(known.identity, identity)
        ? known
        : { identity: Uint8Array.from(identity), value: make(subject) };
    kept.delete(place); // put back last
    kept.set(place, entry);
    const [longestUnused] = kept.keys();
    if (kept.size > count && longestUnused !== undefined) kept.delete(longestUnused);
    return entry.value;
  };
}

/** For subjects that are bytes themselves: `make` gets a copy, which is its own. */
export function rememberingBytes<Value>(
  count: number,
  make: (bytes: Uint8Array) => Value,
): (bytes: Uint8Array) => Value {
  if (count === 0) return make;
  return remembering(
    count,
    (bytes) => bytes,
    (bytes) => make(Uint8Array.from(bytes)),
  );
}

/**
 * The last six bytes as a number: part of a key, a signature or a digest, so no two honest subjects share one. Who makes
 * one that does pushes the other out, no more.
 */
function placeOf(bytes: Uint8Array): number {
  let place = 0;
  for (let at = Math.max(bytes.length - 6, 0); at < bytes.length; at += 1) place = place * 256 + (bytes[at] ?? 0);
  return place;
}
