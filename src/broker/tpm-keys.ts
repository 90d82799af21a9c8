/**
 * What an EK and an AK must be before the broker makes a credential for them. The attributes are part of the Name, and
 * ActivateCredential checks the Name inside the TPM: so what holds here holds for the key that answers.
 */
import { decode } from 'tpm2-ts/codec';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { objectName } from 'tpm2-ts/name';
import { type TpmtPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { toHex } from '../shared/bytes.ts';
import { RequestError } from './errors.ts';

export interface TpmKey {
  /** TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
  readonly name: Uint8Array;
  /** hex */
  readonly nameHex: string;
}

/** Enough of a digest that two keys with one Name cannot be made. */
const NAME_ALGORITHMS = new Set(['sha256', 'sha384', 'sha512']);

/** @throws RequestError PUBLIC_AREA_MALFORMED | EK_UNSUITABLE */
export function readEk(publicArea: Uint8Array): TpmKey {
  const ek = parse(publicArea, 'EK');
  const { attributes } = ek;
  const fault =
    commonFault(ek) ??
    (attributes.restricted && attributes.decrypt && !attributes.signEncrypt
      ? null
      : 'must be a restricted storage key') ??
    ((ek.type === 'rsa' || ek.type === 'ecc') && ek.symmetric.algorithm === 'aes' && ek.symmetric.mode === 'cfb'
      ? null
      : 'must protect its children with AES-CFB');
  if (fault !== null) throw unsuitable('EK_UNSUITABLE', 'EK', fault);
  return named(publicArea);
}

/** @throws RequestError PUBLIC_AREA_MALFORMED | AK_UNSUITABLE */
export function readAk(publicArea: Uint8Array): TpmKey {
  const ak = parse(publicArea, 'AK');
  const { attributes } = ak;
  const fault =
    commonFault(ak) ??
    (attributes.restricted && attributes.signEncrypt && !attributes.decrypt
      ? null
      : 'must be a restricted signing key') ??
    (signsWithSha256(ak) ? null : 'must sign by ECDSA, RSASSA or RSAPSS with SHA-256');
  if (fault !== null) throw unsuitable('AK_UNSUITABLE', 'AK', fault);
  return named(publicArea);
}

/** The Name of any TPMT_PUBLIC in hex; null for bytes that are none. */
export function nameHexOf(publicArea: Uint8Array): string | null {
  try {
    return toHex(objectName(publicArea, nodeDigest));
  } catch {
    return null;
  }
}

function commonFault(key: TpmtPublic): string | null {
  const { fixedTpm, fixedParent, sensitiveDataOrigin } = key.attributes;
  if (!NAME_ALGORITHMS.has(key.nameAlg)) return `must have a nameAlg of SHA-256 or better, not ${key.nameAlg}`;
  if (!fixedTpm || !fixedParent || !sensitiveDataOrigin) return 'must be made in its TPM and never leave it';
  if (key.type === 'rsa') return key.keyBits >= 2048 ? null : `must have 2048 bits, not ${key.keyBits}`;
  if (key.type !== 'ecc') return `must be an RSA or ECC key, not ${key.type}`;
  return key.curve === 'p256' || key.curve === 'p384' ? null : `must be on P-256 or P-384, not ${key.curve}`;
}

function signsWithSha256(key: TpmtPublic): boolean {
  if (key.type === 'ecc') return key.scheme.algorithm === 'ecdsa' && key.scheme.hash === 'sha256';
  if (key.type !== 'rsa') return false;
  return (key.scheme.algorithm === 'rsassa' || key.scheme.algorithm === 'rsapss') && key.scheme.hash === 'sha256';
}

function parse(publicArea: Uint8Array, what: string): TpmtPublic {
  try {
    return decode(tpmtPublic, publicArea, what);
  } catch (cause) {
    throw new RequestError('PUBLIC_AREA_MALFORMED', `the ${what} is not a TPMT_PUBLIC: ${(cause as Error).message}`);
  }
}

function named(publicArea: Uint8Array): TpmKey {
  const name = objectName(publicArea, nodeDigest);
  return { publicArea, name, nameHex: toHex(name) };
}

function unsuitable(code: 'EK_UNSUITABLE' | 'AK_UNSUITABLE', what: string, fault: string): RequestError {
  return new RequestError(code, `the ${what} ${fault}`);
}
