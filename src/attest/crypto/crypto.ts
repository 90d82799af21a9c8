/** The cryptography an appraisal needs, as a port: node:crypto here, another synchronous one in a browser. */

/** Names as TPM banks and event logs use them. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';
export type CurveName = 'P-256' | 'P-384' | 'P-521';

export const HASH_BYTES: { readonly [name in HashName]: number } = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
export const CURVE_BYTES: { readonly [name in CurveName]: number } = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

export function isHashName(name: string): name is HashName {
  return Object.hasOwn(HASH_BYTES, name);
}

/** Numbers are big-endian; x and y have the full width of the curve. The bytes of a key never change: what was made of it may be kept. */
export type VerificationKey =
  | { readonly kind: 'spki'; readonly der: Uint8Array }
  | { readonly kind: 'ec'; readonly curve: CurveName; readonly x: Uint8Array; readonly y: Uint8Array }
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array };

export interface SignatureCheck {
  readonly key: VerificationKey;
  /** ecdsa: r and s side by side at the curve's width (IEEE P1363). rsapss: salt length taken from the signature. */
  readonly scheme: 'ecdsa' | 'rsassa' | 'rsapss';
  readonly hash: HashName;
  /** The message, not its digest. */
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

export interface AttestCrypto {
  hash(name: HashName, data: Uint8Array): Uint8Array;
  /** False for a wrong signature and for a key that is none: a verifier has no use for the difference. */
  verify(check: SignatureCheck): boolean;
}
