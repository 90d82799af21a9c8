/**
 * Where the makers of firmware TPMs hand out the EK certificates that their TPMs do not hold: the address is made of a
 * digest of the public key. As tpm2_getekcertificate of tpm2-tools builds it. Nothing is fetched here.
 */
import type { TpmtPublic } from 'tpm2-ts/public-area';
import { concatBytes, toBase64, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { type CertifiedKey, publicKeyOfTpm } from '../der/der-key.ts';

export class EkUrlError extends CodedError<'EK_KEY_UNSUITABLE'> {}

export interface EkUrls {
  /** Answers JSON: `certificate` is the X.509 certificate in base64url. */
  readonly intel: string;
  /** Answers the X.509 certificate in DER. */
  readonly amd: string;
}

const INTEL = 'https://ekop.intel.com/ekcertservice/';
const AMD = 'https://ftpm.amd.com/pki/aia/';
/** AMD's addresses have half of the digest. */
const AMD_BYTES = 16;

/** @throws EkUrlError for a key that no maker certifies */
export function ekCertificateUrls(ek: TpmtPublic, crypto: AttestCrypto): EkUrls {
  const key = publicKeyOfTpm(ek);
  if (key === null)
    throw new EkUrlError('EK_KEY_UNSUITABLE', 'the key is neither RSA nor on a NIST curve, so it is no EK');
  return urlsOfKey(key, crypto);
}

/** @throws EkUrlError */
export function urlsOfKey(key: CertifiedKey, crypto: AttestCrypto): EkUrls {
  if (key.kind === 'other') throw new EkUrlError('EK_KEY_UNSUITABLE', `a key of algorithm ${key.algorithm} is no EK`);
  const digest = (...parts: readonly Uint8Array[]): Uint8Array => crypto.hash('sha256', concatBytes(...parts));
  const [intel, amd] =
    key.kind === 'rsa'
      ? [
          digest(key.modulus, key.exponent),
          digest(Uint8Array.of(0, 0, 0x22, 0x22), fourBytes(key.exponent), key.modulus),
        ]
      : [digest(key.x, key.y), digest(Uint8Array.of(0, 0, 0x44, 0x44), key.x, key.y)];
  const base64url = toBase64(intel).replaceAll('+', '-').replaceAll('/', '_');
  return { intel: `${INTEL}${encodeURIComponent(base64url)}`, amd: `${AMD}${toHex(amd.subarray(0, AMD_BYTES))}` };
}

function fourBytes(exponent: Uint8Array): Uint8Array {
  const wide = new Uint8Array(4);
  wide.set(exponent.subarray(-4), 4 - Math.min(4, exponent.length));
  return wide;
}
