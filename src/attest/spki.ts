/** SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 3279 §2.3) to numbers: RSA, and ECDSA on the curves that TPMs use. Strict DER. */
import { toHex } from '../shared/bytes.ts';
import { CURVE_BYTES, type CurveName, type VerificationKey } from './crypto.ts';

type PlainKey = Exclude<VerificationKey, { kind: 'spki' }>;

const TAG = { integer: 0x02, bitString: 0x03, null: 0x05, oid: 0x06, sequence: 0x30 } as const;
/** Object identifiers as DER contents in hex. */
const RSA_ENCRYPTION = '2a864886f70d010101';
const EC_PUBLIC_KEY = '2a8648ce3d0201';
const CURVES: { readonly [oid: string]: CurveName } = {
  '2a8648ce3d030107': 'P-256',
  '2b81040022': 'P-384',
  '2b81040023': 'P-521',
};

/** A key for signatures only: RSAES-OAEP and RSASSA-PSS identifiers are refused. @throws Error whatever does not fit */
export function readPublicKeyInfo(der: Uint8Array): PlainKey {
  const [algorithm, bits] = sequence(only(der), [TAG.sequence, TAG.bitString]);
  const [identifier, parameters] = elements(algorithm.contents);
  if (identifier?.tag !== TAG.oid || parameters === undefined) throw new Error('an algorithm without parameters');
  if (elements(algorithm.contents).length !== 2) throw new Error('an algorithm with more than parameters');
  if (bits.contents[0] !== 0) throw new Error('a key with unused bits');
  const key = bits.contents.subarray(1);
  switch (toHex(identifier.contents)) {
    case RSA_ENCRYPTION:
      if (parameters.tag !== TAG.null || parameters.contents.length !== 0) throw new Error('RSA with parameters');
      return rsaKey(key);
    case EC_PUBLIC_KEY:
      if (parameters.tag !== TAG.oid) throw new Error('a curve without a name');
      return ecKey(CURVES[toHex(parameters.contents)], key);
    default:
      throw new Error('an algorithm that is not judged here');
  }
}

function rsaKey(der: Uint8Array): PlainKey {
  const [modulus, exponent] = sequence(only(der), [TAG.integer, TAG.integer]);
  return { kind: 'rsa', modulus: positive(modulus.contents), exponent: positive(exponent.contents) };
}

/** SEC 1 §2.3.4, uncompressed: TPM certificates hold no other form. */
function ecKey(curve: CurveName | undefined, point: Uint8Array): PlainKey {
  if (curve === undefined) throw new Error('a curve that is not judged here');
  const width = CURVE_BYTES[curve];
  if (point[0] !== 0x04 || point.length !== 1 + 2 * width) throw new Error('not an uncompressed point of that curve');
  return { kind: 'ec', curve, x: point.subarray(1, 1 + width), y: point.subarray(1 + width) };
}

interface Element {
  readonly tag: number;
  readonly contents: Uint8Array;
}

/** DER integers are signed; leading zeros beyond the sign's are not DER. */
function positive(contents: Uint8Array): Uint8Array {
  const [first, second] = contents;
  if (first === undefined || first >= 0x80) throw new Error('a number below zero');
  if (first === 0 && (second === undefined || second < 0x80)) throw new Error('a number that is zero or padded');
  return first === 0 ? contents.subarray(1) : contents;
}

function sequence(element: Element, tags: readonly [number, number]): readonly [Element, Element] {
  const [first, second, ...rest] = elements(element.contents);
  if (element.tag !== TAG.sequence || first?.tag !== tags[0] || second?.tag !== tags[1] || rest.length > 0) {
    throw new Error('another structure than expected');
  }
  return [first, second];
}

function only(der: Uint8Array): Element {
  const [first, ...rest] = elements(der);
  if (first === undefined || rest.length > 0) throw new Error('not one DER element');
  return first;
}

function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { element, end } = elementAt(bytes, offset);
    found.push(element);
    offset = end;
  }
  return found;
}

function elementAt(bytes: Uint8Array, offset: number): { element: Element; end: number } {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new Error('DER that ends early');
  const longForm = first >= 0x80 ? first - 0x80 : 0;
  if (first === 0x80 || longForm > 2) throw new Error('a DER length that no key needs');
  const lengthBytes = bytes.subarray(offset + 2, offset + 2 + longForm);
  const length = longForm === 0 ? first : lengthBytes.reduce((sum, byte) => 256 * sum + byte, 0);
  const start = offset + 2 + longForm;
  const shortest = length < 0x80 ? 0 : length < 0x100 ? 1 : 2;
  if (longForm !== shortest || start + length > bytes.length) throw new Error('DER cut short or padded');
  return { element: { tag, contents: bytes.subarray(start, start + length) }, end: start + length };
}
