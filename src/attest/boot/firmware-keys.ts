/**
 * Keys in Secure Boot variables: EFI_SIGNATURE_LIST (UEFI 2.10 §32.4.1) walked in place. A revocation list has hundreds
 * of entries and is judged for every machine, so nothing is made of an entry but what is asked for.
 */
import { equalBytes, fromHex, toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { rememberingBytes } from '../remembering.ts';
import type { KeyVerdict } from '../verdict.ts';
import { knownAuthority } from './firmware-authorities.ts';
import { DBX_MARKS, DBX_RELEASES, type DbxRelease } from './firmware-revocations.ts';

type Crypto = Pick<AttestCrypto, 'hash'>;

/** Offsets into the variable's value. `data` begins behind the owner's GUID. */
export interface SignatureSpan {
  readonly kind: 'certificate' | 'image-hash' | 'other';
  readonly data: number;
  readonly end: number;
}

const OWNER_BYTES = 16;
const HEADER_BYTES = 28;
const CERTIFICATE_TYPE = fromHex('a159c0a5e494a74a87b5ab155c2bf072'); // EFI_CERT_X509_GUID
const IMAGE_HASH_TYPE = fromHex('2616c4c14c509240aca941f936934328'); // EFI_CERT_SHA256_GUID
const IMAGE_HASH_BYTES = 32;

/** Calls `visit` for each entry. False when the sizes do not add up to the byte: then nothing may rest on the list. */
export function walkSignatures(value: Uint8Array, visit: (signature: SignatureSpan) => void): boolean {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  let start = 0;
  while (start < value.length) {
    if (value.length - start < HEADER_BYTES) return false;
    const listBytes = view.getUint32(start + 16, true);
    const headerBytes = view.getUint32(start + 20, true);
    const entryBytes = view.getUint32(start + 24, true);
    const entriesBytes = listBytes - HEADER_BYTES - headerBytes;
    if (listBytes > value.length - start || entryBytes <= OWNER_BYTES || entriesBytes < 0) return false;
    if (entriesBytes % entryBytes !== 0) return false;
    const kind = startsWith(value, start, CERTIFICATE_TYPE)
      ? 'certificate'
      : startsWith(value, start, IMAGE_HASH_TYPE)
        ? 'image-hash'
        : 'other';
    if (kind === 'image-hash' && entryBytes !== OWNER_BYTES + IMAGE_HASH_BYTES) return false;
    const end = start + listBytes;
    for (let entry = end - entriesBytes; entry < end; entry += entryBytes) {
      visit({ kind, data: entry + OWNER_BYTES, end: entry + entryBytes });
    }
    start = end;
  }
  return true;
}

/** `certificatesIn`, read once for all machines that have the same: few lists are one machine's own. */
export type FirmwareKeys = (value: Uint8Array) => readonly KeyVerdict[] | null;

/** PK, KEK and db of a few dozen makers; a hostile sender can only push others out, and fill 16 MiB. */
const MAX_REMEMBERED = 256;
/** The longest in real logs has 7 KB. */
const MAX_REMEMBERED_BYTES = 65_536;

export function firmwareKeys(crypto: Crypto): FirmwareKeys {
  const read = (value: Uint8Array): readonly KeyVerdict[] | null => certificatesIn(value, crypto);
  const remembered = rememberingBytes(MAX_REMEMBERED, read);
  return (value) => (value.length > MAX_REMEMBERED_BYTES ? read(value) : remembered(value));
}

/** Ten are the most seen; each one is hashed and named in the verdict. */
const MAX_CERTIFICATES = 100;

/** The certificates of PK, KEK or db. Null when the variable is no list of signatures, or of more than any machine has. */
export function certificatesIn(value: Uint8Array, crypto: Crypto): readonly KeyVerdict[] | null {
  const spans: SignatureSpan[] = [];
  const isWhole = walkSignatures(value, (signature) => {
    if (signature.kind === 'certificate') spans.push(signature);
  });
  if (!isWhole || spans.length > MAX_CERTIFICATES) return null;
  return spans.map(({ data, end }) => keyVerdict(value.subarray(data, end), crypto));
}

/** `certificate` is DER. */
export function keyVerdict(certificate: Uint8Array, crypto: Crypto): KeyVerdict {
  const sha256 = toHex(crypto.hash('sha256', certificate));
  return { sha256, name: knownAuthority(sha256)?.name ?? null };
}

/** Whether one entry of the list has exactly this certificate or image hash. */
export function isListed(value: Uint8Array, wanted: Uint8Array): boolean {
  let found = false;
  const isWhole = walkSignatures(value, ({ kind, data, end }) => {
    if (kind !== 'other' && end - data === wanted.length) found ||= equalBytes(value.subarray(data, end), wanted);
  });
  return isWhole && found;
}

export interface Revocations {
  readonly hashes: number;
  readonly certificates: number;
  /** The newest release whose marks, and those of all before it, are in the list. */
  readonly release: DbxRelease | null;
  /** Of the hashes that were asked for, the first that is not revoked; null: all are. */
  readonly lacking: string | null;
}

const MARKS: ReadonlyMap<number, Uint8Array> = new Map(
  DBX_RELEASES.flatMap((release) => DBX_MARKS[release]).map((mark) => {
    const bytes = fromHex(mark);
    return [headOf(bytes, 0), bytes] as const;
  }),
);

/** dbx. `required`: image hashes in hex. Null when the variable is no list of signatures. */
export function revocationsIn(value: Uint8Array, required: readonly string[]): Revocations | null {
  let hashes = 0;
  let certificates = 0;
  const marks = new Set<string>();
  const missing = new Set(required);
  const isWhole = walkSignatures(value, ({ kind, data, end }) => {
    if (kind === 'certificate') certificates += 1;
    if (kind !== 'image-hash') return;
    hashes += 1;
    const mark = MARKS.get(headOf(value, data));
    if (mark !== undefined && startsWith(value, data, mark)) marks.add(toHex(mark));
    if (missing.size > 0) missing.delete(toHex(value.subarray(data, end)));
  });
  if (!isWhole) return null;
  let release: DbxRelease | null = null;
  for (const each of DBX_RELEASES) {
    if (!DBX_MARKS[each].every((mark) => marks.has(mark))) break;
    release = each;
  }
  return { hashes, certificates, release, lacking: required.find((hash) => missing.has(hash)) ?? null };
}

function startsWith(bytes: Uint8Array, offset: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index += 1) if (bytes[offset + index] !== wanted[index]) return false;
  return true;
}

function headOf(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) << 24) |
    ((bytes[offset + 1] ?? 0) << 16) |
    ((bytes[offset + 2] ?? 0) << 8) |
    (bytes[offset + 3] ?? 0)
  );
}
