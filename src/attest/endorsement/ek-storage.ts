/**
 * An EK certificate as it lies in NV, or as old tools saved it: perhaps behind the head of a TPM 1.2 stored certificate
 * (TCG PC Client Implementation Specification 1.21 §7.3.2), perhaps with the rest of the NV index behind it.
 */

import { derReader, finish, malformed, take, wholeOf } from '../der/der.ts';
import type { CertificateQuirk } from './certificate.ts';

export interface StoredCertificate {
  readonly der: Uint8Array;
  readonly quirks: readonly CertificateQuirk[];
}

/** TCG_TAG_PCCLIENT_STORED_CERT, TCG_PCCLIENT_FULL_CERT; then the length of what follows, TCG_TAG_PCCLIENT_FULL_CERT. */
const STORED_CERT = [0x10, 0x01, 0x00] as const;
const FULL_CERT = [0x10, 0x02] as const;
const HEAD_BYTES = 7;

/** The certificate without what is around it. Padding is one byte repeated, so that it can say nothing. @throws DerError */
export function unwrapStoredCertificate(stored: Uint8Array): StoredCertificate {
  const quirks: CertificateQuirk[] = [];
  const hasHead = STORED_CERT.every((byte, index) => stored[index] === byte);
  const rest = hasHead ? stored.subarray(HEAD_BYTES) : stored;
  const reader = derReader(rest);
  const element = take(reader);
  if (hasHead) {
    const length = (stored[3] ?? 0) * 256 + (stored[4] ?? 0);
    const tagged = FULL_CERT.every((byte, index) => stored[5 + index] === byte);
    if (!tagged || length !== FULL_CERT.length + element.end)
      throw malformed(0, 'the head of a stored certificate that does not fit');
    quirks.push('nv-header');
  }
  if (reader.at < reader.end) {
    const fill = rest[reader.at];
    for (; rest[reader.at] === fill && reader.at < reader.end; reader.at += 1);
    finish(reader);
    quirks.push('nv-padding');
  }
  return { der: wholeOf(element), quirks };
}
