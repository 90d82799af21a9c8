/** The subject of an X.509 certificate, to show whose it is. Reads the name only: nothing here is verified. */
import { DerError, expectTag, inside, only, TAG, take, takeIf, wholeOf } from '../der/der.ts';
import { nameText } from '../der/der-name.ts';

const VERSION = 0xa0;

/** The same few certificates are in the keys of nearly every machine. By content, never by name. */
const known = new Map<string, string | null>();
const MAX_KNOWN = 64;
const latin1 = new TextDecoder('latin1');

/** Null for what is no certificate. RFC 5280 §4.1. */
export function certificateSubject(der: Uint8Array): string | null {
  const key = latin1.decode(der);
  const before = known.get(key);
  if (before !== undefined) return before;
  const subject = readSubject(der);
  if (known.size < MAX_KNOWN) known.set(key, subject);
  return subject;
}

function readSubject(der: Uint8Array): string | null {
  try {
    const toBeSigned = inside(expectTag(inside(only(der, TAG.sequence)), TAG.sequence));
    takeIf(toBeSigned, VERSION);
    expectTag(toBeSigned, TAG.integer);
    expectTag(toBeSigned, TAG.sequence); // signature algorithm
    expectTag(toBeSigned, TAG.sequence); // issuer
    expectTag(toBeSigned, TAG.sequence); // validity
    return nameText(wholeOf(take(toBeSigned)));
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}
