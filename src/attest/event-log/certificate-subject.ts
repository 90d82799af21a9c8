/** The subject of an X.509 certificate, to show whose it is. Reads the name only: nothing here is verified. */
import { DerError, expectTag, inside, only, TAG, take, takeIf, wholeOf } from '../der.ts';
import { nameText } from '../der-name.ts';

const VERSION = 0xa0;

/** Null for what is no certificate. RFC 5280 §4.1. */
export function certificateSubject(der: Uint8Array): string | null {
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
