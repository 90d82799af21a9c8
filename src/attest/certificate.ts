/** X.509 certificates (RFC 5280) as an EK chain needs them: parsed strictly, verified through the crypto port. */
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  Certificate as Asn1Certificate,
  BasicConstraints,
  ExtendedKeyUsage,
  type Extension,
  type GeneralName,
  KeyUsage,
  KeyUsageFlags,
  type Name,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { equalBytes, toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';
import type { AttestCrypto, SignatureCheck } from './crypto.ts';

export class CertificateError extends CodedError<'CERTIFICATE_MALFORMED'> {}

export interface Certificate {
  readonly der: Uint8Array;
  /** Issuer and subject as DER: compared byte by byte. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** For people: `CN=…, O=…`. */
  readonly subjectText: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKeyInfo: Uint8Array;
  /** Hex of the raw key inside `publicKeyInfo`, without algorithm. */
  readonly publicKeyBits: string;
  readonly isCa: boolean;
  readonly pathLength: number | null;
  /** Null where the extension is absent: no restriction. */
  readonly mayCertify: boolean | null;
  readonly extendedKeyUsages: readonly string[];
  /** Attribute values by OID out of the directory names of the subject alternative name: TPM manufacturer, model, version. */
  readonly alternativeAttributes: ReadonlyMap<string, string>;
  /** OIDs of critical extensions that this code does not judge. */
  readonly unknownCritical: readonly string[];
  readonly signed: { readonly data: Uint8Array; readonly algorithm: string; readonly signature: Uint8Array };
}

const OID = {
  basic: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  alternative: '2.5.29.17',
} as const;
const NAME_LABELS: { readonly [oid: string]: string } = {
  '2.5.4.3': 'CN',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.6': 'C',
};
/** SHA-1 is not in here: no CA that signs today may rest on it. */
const ALGORITHMS: { readonly [oid: string]: Pick<SignatureCheck, 'scheme' | 'hash'> } = {
  '1.2.840.113549.1.1.11': { scheme: 'rsassa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { scheme: 'rsassa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { scheme: 'rsassa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { scheme: 'ecdsa', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { scheme: 'ecdsa', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { scheme: 'ecdsa', hash: 'sha512' },
};

/** One certificate and nothing behind it. @throws CertificateError */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    const length = derLength(der);
    if (length !== der.length) throw new Error(`its DER is ${length} bytes long, ${der.length} were given`);
    return read(der, AsnConvert.parse(der, Asn1Certificate));
  } catch (cause) {
    throw new CertificateError('CERTIFICATE_MALFORMED', `a certificate of ${der.length} bytes cannot be read`, {
      cause,
    });
  }
}

/** Did `issuer` sign `certificate`? Names are the caller's business. */
export function isSignedBy(
  certificate: Certificate,
  issuer: Certificate,
  crypto: Pick<AttestCrypto, 'verify'>,
): boolean {
  const algorithm = ALGORITHMS[certificate.signed.algorithm];
  if (algorithm === undefined) return false;
  const { data, signature } = certificate.signed;
  const raw = algorithm.scheme === 'ecdsa' ? ecdsaToRaw(signature, issuer.publicKeyInfo) : signature;
  if (raw === null) return false;
  return crypto.verify({ key: { kind: 'spki', der: issuer.publicKeyInfo }, ...algorithm, data, signature: raw });
}

/** The raw public key inside a SubjectPublicKeyInfo, without algorithm: RSA keys are named rsaEncryption here, RSAES-OAEP there. */
export function publicKeyBits(spki: Uint8Array): string {
  const outer = contents(spki, 0x30);
  const algorithmEnd = derLength(outer);
  return toHex(contents(outer.subarray(algorithmEnd), 0x03));
}

function read(der: Uint8Array, parsed: Asn1Certificate): Certificate {
  const { tbsCertificate } = parsed;
  if (parsed.tbsCertificateRaw === undefined) throw new Error('it has no body');
  if (parsed.signatureAlgorithm.algorithm !== tbsCertificate.signature.algorithm) {
    throw new Error('it names two signature algorithms');
  }
  const extensions = tbsCertificate.extensions ?? [];
  const ids = extensions.map((extension) => extension.extnID);
  if (new Set(ids).size !== ids.length) throw new Error('it has an extension twice');
  const get = (oid: string): Extension | undefined => extensions.find((extension) => extension.extnID === oid);
  const value = <T>(oid: string, type: new () => T): T | null => {
    const extension = get(oid);
    return extension === undefined ? null : AsnConvert.parse(extension.extnValue, type);
  };
  const basic = value(OID.basic, BasicConstraints);
  const keyUsage = value(OID.keyUsage, KeyUsage);
  const publicKeyInfo = new Uint8Array(AsnConvert.serialize(tbsCertificate.subjectPublicKeyInfo));
  const known: readonly string[] = Object.values(OID);
  return {
    der,
    issuer: new Uint8Array(AsnConvert.serialize(tbsCertificate.issuer)),
    subject: new Uint8Array(AsnConvert.serialize(tbsCertificate.subject)),
    subjectText: nameText(tbsCertificate.subject),
    notBefore: time(tbsCertificate.validity.notBefore),
    notAfter: time(tbsCertificate.validity.notAfter),
    publicKeyInfo,
    publicKeyBits: publicKeyBits(publicKeyInfo),
    isCa: basic?.cA ?? false,
    pathLength: basic?.pathLenConstraint ?? null,
    mayCertify: keyUsage === null ? null : (keyUsage.toNumber() & KeyUsageFlags.keyCertSign) !== 0,
    extendedKeyUsages: [...(value(OID.extendedKeyUsage, ExtendedKeyUsage) ?? [])],
    alternativeAttributes: directoryAttributes(value(OID.alternative, SubjectAlternativeName) ?? []),
    unknownCritical: [...extensions]
      .filter((each) => each.critical && !known.includes(each.extnID))
      .map((each) => each.extnID),
    signed: {
      data: new Uint8Array(parsed.tbsCertificateRaw),
      algorithm: parsed.signatureAlgorithm.algorithm,
      signature: new Uint8Array(parsed.signatureValue),
    },
  };
}

/** An unreadable date would compare as neither too early nor too late. */
function time(value: { getTime(): Date }): Date {
  const date = value.getTime();
  if (Number.isNaN(date.getTime())) throw new Error('it has an unreadable date');
  return date;
}

function directoryAttributes(names: Iterable<GeneralName>): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const { directoryName } of names) {
    for (const part of directoryName?.flat() ?? []) attributes.set(part.type, part.value.toString());
  }
  return attributes;
}

function nameText(name: Name): string {
  const parts = name.flatMap((part) => [...part]);
  return (
    parts.map((part) => `${NAME_LABELS[part.type] ?? part.type}=${part.value.toString()}`).join(', ') || '(no name)'
  );
}

/** ECDSA-Sig-Value { r, s } to r and s side by side at the width of the signer's curve. */
function ecdsaToRaw(signature: Uint8Array, signerSpki: Uint8Array): Uint8Array | null {
  try {
    const width = Math.floor((publicKeyBits(signerSpki).length / 2 - 2) / 2); // unused-bits byte, 0x04, x, y
    const body = contents(signature, 0x30);
    const rLength = derLength(body);
    const raw = new Uint8Array(2 * width);
    for (const [index, bytes] of [body.subarray(0, rLength), body.subarray(rLength)].entries()) {
      let number = contents(bytes, 0x02);
      while (number[0] === 0 && number.length > 1) number = number.subarray(1);
      if (number.length > width) return null;
      raw.set(number, (index + 1) * width - number.length);
    }
    return raw;
  } catch {
    return null;
  }
}

/** Contents of the one DER element that `bytes` consists of. */
function contents(bytes: Uint8Array, tag: number): Uint8Array {
  const length = derLength(bytes);
  if (bytes[0] !== tag || length !== bytes.length) {
    if (!(bytes[0] === tag && length < bytes.length && tag === 0x03)) throw new Error('unexpected DER element');
  }
  return bytes.subarray(headLength(bytes), length);
}

/** Head and contents of the DER element at the start of `bytes`. */
function derLength(bytes: Uint8Array): number {
  const head = headLength(bytes);
  const first = bytes[1] ?? 0;
  let length = first;
  if (first >= 0x80) {
    length = 0;
    for (let index = 2; index < head; index += 1) length = length * 256 + (bytes[index] ?? 0);
  }
  if (head + length > bytes.length) throw new Error(`DER of ${head + length} bytes in ${bytes.length}`);
  return head + length;
}

function headLength(bytes: Uint8Array): number {
  const first = bytes[1];
  if (first === undefined || first === 0x80 || first > 0x83) throw new Error('a DER length that cannot be');
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

export function sameBytes(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.der, b.der);
}
