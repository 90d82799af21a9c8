/**
 * X.509 v3 certificates (RFC 5280) as an EK chain needs them, read strictly, verified through the crypto port. What real
 * EK certificates get wrong is read as well, and named in `quirks`: who may have which quirk is for `ek-path.ts` to say.
 * Nothing in here is trusted until a path to a named authority was verified.
 */
import { equalBytes } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto, SignatureCheck } from '../crypto/crypto.ts';
import {
  bitStringBytes,
  contentOf,
  context,
  contextConstructed,
  type DerElement,
  expectTag,
  finish,
  hasMore,
  inside,
  oidText,
  only,
  smallNumber,
  TAG,
  take,
  takeIf,
  wholeOf,
} from '../der/der.ts';
import { type CertifiedKey, publicKeyOf } from '../der/der-key.ts';
import { isNameInOrder } from '../der/der-name.ts';
import { derTime } from '../der/der-time.ts';
import { ecdsaSignature } from '../der/ecdsa-signature.ts';
import {
  type CertificateExtensions,
  type ExtensionQuirk,
  NO_EXTENSIONS,
  readExtensions,
} from './certificate-extensions.ts';

export class CertificateError extends CodedError<'CERTIFICATE_MALFORMED'> {}

/** What is wrong with a certificate and was seen in EK certificates of real TPMs; `QUIRKS` says each in a sentence. */
export type CertificateQuirk =
  | ExtensionQuirk
  | 'nv-header'
  | 'nv-padding'
  | 'set-order'
  | 'rsaes-oaep-key'
  | 'sha1-signature'
  | 'serial-number'
  | 'time-form';

export interface Certificate extends CertificateExtensions {
  readonly der: Uint8Array;
  /** As encoded, two's complement. */
  readonly serial: Uint8Array;
  /** Issuer and subject as DER; compared by `canonicalName`. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since 1970; both ends are part of the validity. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array;
  readonly publicKey: CertifiedKey;
  readonly quirks: readonly CertificateQuirk[];
  readonly signed: Signed;
}

/** What an authority put its signature under: a certificate or a revocation list. */
export interface Signed {
  readonly data: Uint8Array;
  /** OID of the signature algorithm. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

const ALGORITHMS: { readonly [oid: string]: Pick<SignatureCheck, 'scheme' | 'hash'> } = {
  '1.2.840.113549.1.1.11': { scheme: 'rsassa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { scheme: 'rsassa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { scheme: 'rsassa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { scheme: 'ecdsa', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { scheme: 'ecdsa', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { scheme: 'ecdsa', hash: 'sha512' },
};
/** Only where the caller says so: a certificate of an authority must not rest on SHA-1. */
const SHA1_ALGORITHMS: typeof ALGORITHMS = {
  '1.2.840.113549.1.1.5': { scheme: 'rsassa', hash: 'sha1' },
  '1.2.840.10045.4.1': { scheme: 'ecdsa', hash: 'sha1' },
};
/** RFC 5280 §4.1.2.2. */
const MAX_SERIAL_BYTES = 20;
/** Larger than every certificate of a TPM vendor seen; a post-quantum one would need a new algorithm here anyway. */
export const MAX_CERTIFICATE_BYTES = 16_384;

/** One certificate and nothing around it. @throws CertificateError */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    if (der.length > MAX_CERTIFICATE_BYTES) throw new Error(`at most ${MAX_CERTIFICATE_BYTES} bytes are read`);
    return read(der);
  } catch (cause) {
    throw new CertificateError('CERTIFICATE_MALFORMED', `a certificate of ${der.length} bytes cannot be read`, {
      cause,
    });
  }
}

/** Did the holder of the issuer's key sign this? Names and rights are the caller's business. */
export function isSignedBy(
  signed: Signed,
  issuer: Pick<Certificate, 'publicKey'>,
  crypto: Pick<AttestCrypto, 'verify'>,
  options: { readonly sha1: 'allowed' | 'refused' },
): boolean {
  const weak = options.sha1 === 'allowed' ? SHA1_ALGORITHMS[signed.algorithm] : undefined;
  const algorithm = ALGORITHMS[signed.algorithm] ?? weak;
  if (algorithm === undefined) return false;
  const { publicKey } = issuer;
  if (algorithm.scheme === 'ecdsa') {
    const raw = publicKey.kind === 'ec' ? ecdsaSignature(signed.signature, publicKey.curve) : null;
    if (publicKey.kind !== 'ec' || raw === null) return false;
    return crypto.verify({ key: publicKey, ...algorithm, data: signed.data, signature: raw });
  }
  if (publicKey.kind !== 'rsa' || publicKey.oaep) return false;
  return crypto.verify({ key: publicKey, ...algorithm, data: signed.data, signature: signed.signature });
}

/** The three parts that certificates and revocation lists share. @throws DerError */
export function readSigned(der: Uint8Array): {
  readonly body: DerElement;
  readonly signed: Signed;
  algorithmDer: Uint8Array;
} {
  const outer = inside(only(der, TAG.sequence));
  const body = expectTag(outer, TAG.sequence);
  const algorithm = expectTag(outer, TAG.sequence);
  const signature = bitStringBytes(expectTag(outer, TAG.bitString));
  finish(outer);
  const parts = inside(algorithm);
  const oid = oidText(expectTag(parts, TAG.oid));
  if (hasMore(parts)) take(parts);
  finish(parts);
  return { body, signed: { data: wholeOf(body), algorithm: oid, signature }, algorithmDer: wholeOf(algorithm) };
}

function read(der: Uint8Array): Certificate {
  const { body, signed, algorithmDer } = readSigned(der);
  const quirks = new Set<CertificateQuirk>();
  const reader = inside(body);
  const version = takeIf(reader, contextConstructed(0));
  if (version === null || smallNumber(only(contentOf(version), TAG.integer)) !== 2)
    throw new Error('it is not of version 3');
  const serial = serialNumber(expectTag(reader, TAG.integer), quirks);
  if (!equalBytes(wholeOf(expectTag(reader, TAG.sequence)), algorithmDer))
    throw new Error('it names two signature algorithms');
  const issuer = expectTag(reader, TAG.sequence);
  const [notBeforeMs, notAfterMs] = validity(expectTag(reader, TAG.sequence), quirks);
  const subject = expectTag(reader, TAG.sequence);
  if (!isNameInOrder(issuer) || !isNameInOrder(subject)) quirks.add('set-order');
  const keyInfo = expectTag(reader, TAG.sequence);
  const publicKey = publicKeyOf(keyInfo);
  if (publicKey.kind === 'rsa' && publicKey.oaep) quirks.add('rsaes-oaep-key');
  if (SHA1_ALGORITHMS[signed.algorithm] !== undefined) quirks.add('sha1-signature');
  takeIf(reader, context(1)); // unique identifiers: nobody writes them, RFC 5280 says to read over them
  takeIf(reader, context(2));
  const extensions = takeIf(reader, contextConstructed(3));
  finish(reader);
  return {
    der,
    serial,
    issuer: wholeOf(issuer),
    subject: wholeOf(subject),
    notBeforeMs,
    notAfterMs,
    publicKeyInfo: wholeOf(keyInfo),
    publicKey,
    ...(extensions === null ? NO_EXTENSIONS : readExtensions(extensions, quirks)),
    quirks: [...quirks],
    signed,
  };
}

/** Negative, zero and overlong numbers exist; the bytes are compared, so they need no meaning. */
function serialNumber(element: DerElement, quirks: Set<CertificateQuirk>): Uint8Array {
  const serial = contentOf(element);
  if (serial.length === 0 || serial.length > 64) throw new Error(`its serial number has ${serial.length} bytes`);
  const [first = 0, second = 0] = serial;
  const longer = serial.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  const zero = serial.length === 1 && first === 0;
  const bytes = serial.length - (first === 0 ? 1 : 0);
  if (first >= 0x80 || zero || longer || bytes > MAX_SERIAL_BYTES) quirks.add('serial-number');
  return serial;
}

function validity(element: DerElement, quirks: Set<CertificateQuirk>): readonly [number, number] {
  const reader = inside(element);
  const [from, to] = [derTime(take(reader)), derTime(take(reader))];
  finish(reader);
  if (!from.profile || !to.profile) quirks.add('time-form');
  return [from.ms, to.ms];
}
