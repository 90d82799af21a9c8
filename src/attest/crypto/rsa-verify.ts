/**
 * RSA signatures, RFC 8017: RSASSA-PKCS1-v1_5 (§8.2.2) and RSASSA-PSS (§8.1.2, EMSA-PSS §9.1.2). Only public values are
 * handled here, so nothing needs constant time. Where the RFC compares an encoded message, all of its bytes are compared.
 */
import { concatBytes, equalBytes, fromHex, toHex } from '../../shared/bytes.ts';
import { HASH_BYTES, type HashName } from './crypto.ts';

export interface RsaCheck {
  /** Big-endian. */
  readonly key: { readonly modulus: Uint8Array; readonly exponent: Uint8Array };
  /** rsapss: MGF1 with the same hash; the salt is as long as the signature says. */
  readonly scheme: 'rsassa' | 'rsapss';
  readonly hash: HashName;
  readonly hashOf: (data: Uint8Array) => Uint8Array;
  /** The message, not its digest. */
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

/** TPMs make 2048 to 4096 bits, one maker's root has 8192. Below, a key can be broken; above, a check would take long. */
const MODULUS_BITS = { min: 2048, max: 8192 } as const;
/** TPM2 exponents have 32 bits; certificates may say more, and each bit costs a multiplication. */
const MAX_EXPONENT = 2n ** 64n;

/** Before a number is made of it; a zero byte may lead. */
const MAX_NUMBER_BYTES = MODULUS_BITS.max / 8 + 1;

/** DER of DigestInfo up to the digest, RFC 8017 §9.2 note 1. */
const DIGEST_INFO: { readonly [name in HashName]: Uint8Array } = {
  sha1: fromHex('3021300906052b0e03021a05000414'),
  sha256: fromHex('3031300d060960864801650304020105000420'),
  sha384: fromHex('3041300d060960864801650304020205000430'),
  sha512: fromHex('3051300d060960864801650304020305000440'),
};

export function verifyRsa({ key, scheme, hash, hashOf, data, signature }: RsaCheck): boolean {
  if (key.modulus.length > MAX_NUMBER_BYTES || key.exponent.length > MAX_NUMBER_BYTES) return false;
  const modulus = toNumber(key.modulus);
  const exponent = toNumber(key.exponent);
  const modulusBits = modulus.toString(2).length;
  if (modulusBits < MODULUS_BITS.min || modulusBits > MODULUS_BITS.max || modulus % 2n === 0n) return false;
  if (exponent < 3n || exponent > MAX_EXPONENT || exponent % 2n === 0n) return false;
  const sizeBytes = Math.ceil(modulusBits / 8);
  if (signature.length !== sizeBytes) return false;
  const representative = toNumber(signature);
  if (representative >= modulus) return false;

  const encoded = toBytes(power(representative, exponent, modulus), sizeBytes);
  if (scheme === 'rsassa') return equalBytes(encoded, pkcs1Encoding(hash, hashOf(data), sizeBytes));
  return verifyPssEncoding(encoded, modulusBits - 1, hashOf(data), HASH_BYTES[hash], hashOf);
}

function pkcs1Encoding(hash: HashName, digest: Uint8Array, sizeBytes: number): Uint8Array {
  const tail = concatBytes(Uint8Array.of(0x00), DIGEST_INFO[hash], digest);
  const padding = new Uint8Array(sizeBytes - 2 - tail.length).fill(0xff);
  return concatBytes(Uint8Array.of(0x00, 0x01), padding, tail);
}

/** `encoded` has the modulus' width; EM has `emBits` bits, so a whole byte in front may be left over. */
function verifyPssEncoding(
  encoded: Uint8Array,
  emBits: number,
  digest: Uint8Array,
  digestBytes: number,
  hashOf: (data: Uint8Array) => Uint8Array,
): boolean {
  const emBytes = Math.ceil(emBits / 8);
  const unusedBits = 8 * emBytes - emBits;
  if (encoded.subarray(0, encoded.length - emBytes).some((byte) => byte !== 0)) return false;
  const message = encoded.subarray(encoded.length - emBytes);
  const maskedBytes = emBytes - digestBytes - 1;
  if (maskedBytes < 1 || message.at(-1) !== 0xbc) return false;
  const masked = message.subarray(0, maskedBytes);
  const claimed = message.subarray(maskedBytes, emBytes - 1);
  if ((masked[0] ?? 0) >> (8 - unusedBits) !== 0) return false;

  const mask = mgf1(claimed, maskedBytes, digestBytes, hashOf);
  const block = masked.map((byte, index) => byte ^ (mask[index] ?? 0));
  block[0] = (block[0] ?? 0) & (0xff >> unusedBits);
  const separator = block.findIndex((byte) => byte !== 0);
  if (separator === -1 || block[separator] !== 0x01) return false;
  const salt = block.subarray(separator + 1);
  return equalBytes(claimed, hashOf(concatBytes(new Uint8Array(8), digest, salt)));
}

/** MGF1, RFC 8017 appendix B.2.1. */
function mgf1(
  seed: Uint8Array,
  length: number,
  digestBytes: number,
  hashOf: (data: Uint8Array) => Uint8Array,
): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / digestBytes) }, (_, counter) =>
    hashOf(concatBytes(seed, Uint8Array.of(counter >>> 24, counter >>> 16, counter >>> 8, counter))),
  );
  return concatBytes(...blocks).subarray(0, length);
}

/** base^exponent mod modulus, bits of the exponent from the top. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = base;
  for (const bit of exponent.toString(2).slice(1)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x0${toHex(bytes)}`);
const toBytes = (number: bigint, sizeBytes: number): Uint8Array =>
  fromHex(number.toString(16).padStart(2 * sizeBytes, '0'));
