/** Which of the inputs a file is, by what it says itself: so one drop takes them all. It decides nothing about trust. */
import { REFERENCE_PAYLOAD_TYPE } from '../attest/image/signed-reference-values.ts';

export type DocumentKind =
  | 'report'
  | 'reference'
  | 'reference-key'
  | 'trust'
  | 'certificate'
  | 'crl'
  | 'policy'
  | 'nonce';

/** What files with certificates can be: their content does not tell whether they are trusted, so the person can say. */
export const CERTIFICATE_KINDS = ['trust', 'certificate', 'crl'] as const satisfies readonly DocumentKind[];

export interface GivenDocument {
  readonly kind: DocumentKind;
  /** File name or link; a stranger's text. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The formats name themselves near their beginning; a report of megabytes is not searched. */
const HEAD_BYTES = 4096;

/** What nothing recognises is taken for the report, so that the reason why it is none gets said. */
export function kindOf(bytes: Uint8Array): DocumentKind {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, HEAD_BYTES));
  if (head.includes('"cpushare-report"')) return 'report'; // whatever else it speaks of
  if (head.includes('-----BEGIN X509 CRL-----')) return 'crl';
  if (head.includes('-----BEGIN PUBLIC KEY-----')) return 'reference-key';
  if (head.includes('-----BEGIN CERTIFICATE-----') || isDer(bytes)) return 'trust';
  if (bytes.length < HEAD_BYTES && /^\s*[0-9a-fA-F]{64}\s*$/.test(head)) return 'nonce';
  if (head.includes('"cpushare-reference-values"') || head.includes(REFERENCE_PAYLOAD_TYPE)) return 'reference';
  if (head.includes('"acceptedTpmClasses"')) return 'policy';
  return 'report';
}

/** A DER sequence of 128 bytes and more: no text begins so. */
const isDer = (bytes: Uint8Array): boolean => bytes[0] === 0x30 && (bytes[1] ?? 0) > 0x80;
