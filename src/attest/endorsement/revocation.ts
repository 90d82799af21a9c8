/**
 * Certificate revocation lists (X.509 v2 CRL, RFC 5280 §5), handed over by whoever judges; nothing is fetched. A list is
 * believed once the authority in whose name it speaks has signed it, and only while it is current.
 */
import { equalBytes, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import {
  contentOf,
  context,
  contextConstructed,
  type DerElement,
  type DerReader,
  expectTag,
  finish,
  hasMore,
  inside,
  nextTag,
  only,
  smallNumber,
  TAG,
  take,
  takeIf,
  wholeOf,
} from '../der/der.ts';
import { canonicalName, nameText } from '../der/der-name.ts';
import { derTime } from '../der/der-time.ts';
import { type Certificate, isSignedBy, readSigned, type Signed } from './certificate.ts';
import { readExtension } from './certificate-extensions.ts';

export class RevocationListError extends CodedError<'REVOCATION_LIST_MALFORMED'> {}

export interface RevocationList {
  readonly issuer: Uint8Array;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Serial numbers as hex of their encoding. */
  readonly revoked: ReadonlySet<string>;
  readonly authorityKeyId: Uint8Array | null;
  readonly signed: Signed;
}

const AUTHORITY_KEY_ID = '2.5.29.35';
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const DELTA_LIST = '2.5.29.27';
/** A list longer than this belongs to no TPM vendor known. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;
const NO_QUIRKS = { add: () => undefined };

/** One list and nothing behind it. @throws RevocationListError */
export function parseRevocationList(der: Uint8Array): RevocationList {
  try {
    if (der.length > MAX_LIST_BYTES) throw new Error(`at most ${MAX_LIST_BYTES} bytes are read`);
    return read(der);
  } catch (cause) {
    throw new RevocationListError(
      'REVOCATION_LIST_MALFORMED',
      `a revocation list of ${der.length} bytes cannot be used`,
      { cause, nextStep: 'fetch it again from the authority, as a complete X.509 v2 list (DER or PEM)' },
    );
  }
}

export const serialText = (serial: Uint8Array): string => toHex(serial);

/** Did this authority sign the list, and may it? */
export function isListOf(list: RevocationList, authority: Certificate, crypto: Pick<AttestCrypto, 'verify'>): boolean {
  return (
    canonicalName(list.issuer) === canonicalName(authority.subject) &&
    authority.keyUsage?.cRLSign !== false &&
    isSignedBy(list.signed, authority, crypto, { sha1: 'refused' })
  );
}

/** Both name their key, and it is not the same one: authorities may share a name. */
export function isOfAnotherKey(list: RevocationList, authority: Certificate): boolean {
  const { authorityKeyId } = list;
  const { subjectKeyId } = authority;
  return authorityKeyId !== null && subjectKeyId !== null && !equalBytes(authorityKeyId, subjectKeyId);
}

export function listText(list: RevocationList): string {
  const day = (ms: number): string => new Date(ms).toISOString();
  return `the revocation list of ${nameText(list.issuer)} (${day(list.thisUpdateMs)} to ${day(list.nextUpdateMs)})`;
}

function read(der: Uint8Array): RevocationList {
  const { body, signed, algorithmDer } = readSigned(der);
  const reader = inside(body);
  if (smallNumber(expectTag(reader, TAG.integer)) !== 1) throw new Error('it is not of version 2');
  if (!equalBytes(wholeOf(expectTag(reader, TAG.sequence)), algorithmDer))
    throw new Error('it names two signature algorithms');
  const issuer = wholeOf(expectTag(reader, TAG.sequence));
  const thisUpdateMs = derTime(take(reader)).ms;
  if (!isTime(nextTag(reader))) throw new Error('it does not say until when it holds (nextUpdate)');
  const nextUpdateMs = derTime(take(reader)).ms;
  const entries = takeIf(reader, TAG.sequence);
  const extensions = takeIf(reader, contextConstructed(0));
  finish(reader);
  return {
    issuer,
    thisUpdateMs,
    nextUpdateMs,
    revoked: entries === null ? new Set() : revokedSerials(inside(entries)),
    authorityKeyId: extensions === null ? null : readListExtensions(extensions),
    signed,
  };
}

const isTime = (tag: number): boolean => tag === TAG.utcTime || tag === TAG.generalizedTime;

function revokedSerials(entries: DerReader): Set<string> {
  const serials = new Set<string>();
  while (hasMore(entries)) {
    const entry = inside(expectTag(entries, TAG.sequence));
    serials.add(serialText(contentOf(expectTag(entry, TAG.integer))));
    derTime(take(entry));
    const extensions = takeIf(entry, TAG.sequence);
    finish(entry);
    if (extensions === null) continue;
    for (const list = inside(extensions); hasMore(list); ) {
      const { oid, critical } = readExtension(list, NO_QUIRKS);
      // certificateIssuer, for one: then the serial number is another authority's
      if (critical) throw new Error(`an entry has the critical extension ${oid}`);
    }
  }
  return serials;
}

/** The authority key identifier; refuses a list that is only a part of the whole. */
function readListExtensions(wrapper: DerElement): Uint8Array | null {
  let keyId: Uint8Array | null = null;
  const seen = new Set<string>();
  for (const list = inside(only(contentOf(wrapper), TAG.sequence)); hasMore(list); ) {
    const { oid, critical, value } = readExtension(list, NO_QUIRKS);
    if (seen.has(oid)) throw new Error(`it has the extension ${oid} twice`);
    seen.add(oid);
    if (oid === AUTHORITY_KEY_ID) {
      const id = takeIf(inside(only(value, TAG.sequence)), context(0));
      keyId = id === null ? null : contentOf(id);
    } else if (oid === ISSUING_DISTRIBUTION_POINT) {
      requireWhole(value);
    } else if (oid === DELTA_LIST || critical) {
      throw new Error(`it has the extension ${oid}, which makes it a part of a list or changes what it means`);
    }
  }
  return keyId;
}

/** Where the list was published ([0]) and for users or authorities only ([1], [2]) is fine; a part by reason or issuer is not. */
function requireWhole(value: Uint8Array): void {
  for (const reader = inside(only(value, TAG.sequence)); hasMore(reader); ) {
    const { tag } = take(reader);
    if (tag !== contextConstructed(0) && tag !== context(1) && tag !== context(2)) {
      throw new Error('it lists only some reasons, or certificates of other authorities');
    }
  }
}
