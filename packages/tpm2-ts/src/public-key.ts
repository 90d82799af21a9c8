/** From TPM key material to what other crypto libraries take: SubjectPublicKeyInfo (RFC 5280, 5480, 8017) and raw signatures. */
import type { CurveName } from './constants.ts';
import { TpmKeyError } from './errors.ts';
import type { TpmtPublic } from './public-area.ts';
import type { TpmtSignature } from './signature.ts';

const OID_RSA = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_EC = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const CURVES: Partial<Record<CurveName, { readonly oid: readonly number[]; readonly bytes: number }>> = {
  p256: { oid: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], bytes: 32 },
  p384: { oid: [0x2b, 0x81, 0x04, 0x00, 0x22], bytes: 48 },
  p521: { oid: [0x2b, 0x81, 0x04, 0x00, 0x23], bytes: 66 },
};

/** SubjectPublicKeyInfo DER of an RSA or NIST-curve key. @throws TpmKeyError for other objects and impossible sizes */
export function subjectPublicKeyInfo(key: TpmtPublic): Uint8Array {
  if (key.type === 'rsa') {
    if (key.unique.length !== key.keyBits / 8) {
      throw new TpmKeyError(`an RSA-${key.keyBits} key with a modulus of ${key.unique.length} bytes`);
    }
    const exponent = key.exponent === 0 ? 65_537 : key.exponent;
    const exponentBytes = Uint8Array.of(exponent >>> 24, exponent >>> 16, exponent >>> 8, exponent);
    const rsaKey = der(0x30, integer(key.unique), integer(exponentBytes));
    return der(0x30, der(0x30, der(0x06, OID_RSA), der(0x05)), der(0x03, [0], rsaKey));
  }
  if (key.type !== 'ecc') throw new TpmKeyError(`an object of type ${key.type} has no public key`);
  const { oid, bytes } = curveFacts(key.curve);
  const point = [[4], padded(key.unique.x, bytes, 'x'), padded(key.unique.y, bytes, 'y')];
  return der(0x30, der(0x30, der(0x06, OID_EC), der(0x06, oid)), der(0x03, [0], ...point));
}

/** The signature as WebCrypto and `dsaEncoding: 'ieee-p1363'` take it: r and s padded to the curve, or the RSA bytes. */
export function rawSignature(signature: TpmtSignature, key: TpmtPublic): Uint8Array {
  if (signature.algorithm !== 'ecdsa') return signature.signature;
  if (key.type !== 'ecc') throw new TpmKeyError(`an ECDSA signature with a key of type ${key.type}`);
  const { bytes } = curveFacts(key.curve);
  const raw = new Uint8Array(2 * bytes);
  raw.set(padded(signature.r, bytes, 'r'), 0);
  raw.set(padded(signature.s, bytes, 's'), bytes);
  return raw;
}

/** TPMs may drop leading zero bytes of a coordinate; too many bytes are refused unless they are zero. */
function padded(value: Uint8Array, bytes: number, what: string): Uint8Array {
  const extra = value.length - bytes;
  if (extra > 0 && value.subarray(0, extra).some((byte) => byte !== 0)) {
    throw new TpmKeyError(`${what} of ${value.length} bytes does not fit a curve of ${bytes} bytes`);
  }
  if (extra >= 0) return value.slice(extra);
  const filled = new Uint8Array(bytes);
  filled.set(value, -extra);
  return filled;
}

function curveFacts(curve: CurveName): { readonly oid: readonly number[]; readonly bytes: number } {
  const facts = CURVES[curve];
  if (facts === undefined) throw new TpmKeyError(`curve ${curve} is not supported`);
  return facts;
}

function integer(bigEndian: Uint8Array): Uint8Array {
  const first = bigEndian.findIndex((byte) => byte !== 0);
  const bytes = bigEndian.subarray(first === -1 ? bigEndian.length - 1 : first);
  return der(0x02, (bytes[0] ?? 0) > 0x7f ? [0] : [], bytes);
}

function der(tag: number, ...contents: readonly ArrayLike<number>[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  const element = new Uint8Array(1 + head.length + length);
  element[0] = tag;
  element.set(head, 1);
  let offset = 1 + head.length;
  for (const content of contents) {
    element.set(content, offset);
    offset += content.length;
  }
  return element;
}
