/** SubjectPublicKeyInfo (RFC 3279, 5480, 4055 for RSAES-OAEP): the numbers, so that two ways to write a key compare equal. */
import type { EccPublic, RsaPublic, TpmtPublic } from 'tpm2-ts/public-area';
import { equalBytes } from '../../shared/bytes.ts';
import { CURVE_BYTES, type CurveName } from '../crypto/crypto.ts';
import {
  bitStringBytes,
  type DerElement,
  expectTag,
  finish,
  hasMore,
  inside,
  malformed,
  naturalBytes,
  oidText,
  only,
  TAG,
  take,
} from './der.ts';

/** Numbers big-endian, RSA ones without leading zeros, coordinates at the width of the curve. */
export type CertifiedKey =
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array; readonly oaep: boolean }
  | { readonly kind: 'ec'; readonly curve: CurveName; readonly x: Uint8Array; readonly y: Uint8Array }
  | { readonly kind: 'other'; readonly algorithm: string };

const RSA = '1.2.840.113549.1.1.1';
const RSAES_OAEP = '1.2.840.113549.1.1.7';
const EC = '1.2.840.10045.2.1';
const CURVES: { readonly [oid: string]: CurveName } = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
};
/** Checking a signature with more would take as long as the sender of the certificate likes. */
const MAX_RSA_BYTES = 1024;
const MAX_EXPONENT_BYTES = 4;
const TPM_CURVES: { readonly [name: string]: CurveName } = { p256: 'P-256', p384: 'P-384', p521: 'P-521' };

/** @throws DerError */
export function publicKeyOf(info: DerElement): CertifiedKey {
  const reader = inside(info);
  const algorithm = inside(expectTag(reader, TAG.sequence));
  const bits = bitStringBytes(expectTag(reader, TAG.bitString));
  finish(reader);
  const oid = oidText(expectTag(algorithm, TAG.oid));
  if (oid === RSA) {
    if (hasMore(algorithm)) expectEmpty(expectTag(algorithm, TAG.null));
    finish(algorithm);
    return rsaKey(bits, false);
  }
  // The parameters of RSAES-OAEP say how to encrypt to the key; which key it is they do not change.
  if (oid === RSAES_OAEP) return rsaKey(bits, true);
  if (oid !== EC) return { kind: 'other', algorithm: oid };
  const parameter = take(algorithm);
  finish(algorithm);
  const curve = parameter.tag === TAG.oid ? CURVES[oidText(parameter)] : undefined;
  if (curve === undefined) return { kind: 'other', algorithm: oid };
  const width = CURVE_BYTES[curve];
  if (bits.length !== 1 + 2 * width || bits[0] !== 4) return { kind: 'other', algorithm: oid };
  return { kind: 'ec', curve, x: bits.subarray(1, 1 + width), y: bits.subarray(1 + width) };
}

/** @throws DerError */
export const publicKeyOfSpki = (spki: Uint8Array): CertifiedKey => publicKeyOf(only(spki, TAG.sequence));

/** The key of a TPM's public area (Part 2 §12.2.4); null for an object that is no RSA or NIST key. */
export function publicKeyOfTpm(key: TpmtPublic): CertifiedKey | null {
  if (key.type === 'rsa') return rsaOfTpm(key);
  return key.type === 'ecc' ? eccOfTpm(key) : null;
}

/** Same numbers; how they are written and what they may be used for does not matter. */
export function sameKey(a: CertifiedKey, b: CertifiedKey): boolean {
  if (a.kind === 'rsa' && b.kind === 'rsa')
    return equalBytes(a.modulus, b.modulus) && equalBytes(a.exponent, b.exponent);
  if (a.kind === 'ec' && b.kind === 'ec') return a.curve === b.curve && equalBytes(a.x, b.x) && equalBytes(a.y, b.y);
  return false;
}

/** `RSA-2048`, `P-256`. */
export function keyText(key: CertifiedKey): string {
  if (key.kind === 'rsa') return `RSA-${bitLength(key.modulus)}`;
  return key.kind === 'ec' ? key.curve : `algorithm ${key.algorithm}`;
}

export const bitLength = (number: Uint8Array): number =>
  number.length === 0 ? 0 : 8 * number.length - Math.clz32(number[0] ?? 0) + 24;

function expectEmpty({ start, content, end }: DerElement): void {
  if (content !== end) throw malformed(start, 'a NULL that holds something');
}

function rsaKey(bits: Uint8Array, oaep: boolean): CertifiedKey {
  const reader = inside(only(bits, TAG.sequence));
  const modulus = naturalBytes(expectTag(reader, TAG.integer));
  const exponent = naturalBytes(expectTag(reader, TAG.integer));
  finish(reader);
  if (modulus.length > MAX_RSA_BYTES || exponent.length > MAX_EXPONENT_BYTES) return { kind: 'other', algorithm: RSA };
  return { kind: 'rsa', modulus, exponent, oaep };
}

function rsaOfTpm(key: RsaPublic): CertifiedKey {
  const exponent = key.exponent === 0 ? 65_537 : key.exponent;
  const bytes = Uint8Array.of(exponent >>> 24, (exponent >>> 16) & 0xff, (exponent >>> 8) & 0xff, exponent & 0xff);
  return { kind: 'rsa', modulus: stripped(key.unique), exponent: stripped(bytes), oaep: false };
}

/** TPMs may drop leading zero bytes of a coordinate. */
function eccOfTpm(key: EccPublic): CertifiedKey | null {
  const curve = TPM_CURVES[key.curve];
  if (curve === undefined) return null;
  const [x, y] = [key.unique.x, key.unique.y].map((number) => {
    const value = stripped(number);
    const wide = new Uint8Array(CURVE_BYTES[curve]);
    if (value.length > wide.length) return null;
    wide.set(value, wide.length - value.length);
    return wide;
  });
  return x && y ? { kind: 'ec', curve, x, y } : null;
}

function stripped(number: Uint8Array): Uint8Array {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start += 1;
  return number.subarray(start);
}
