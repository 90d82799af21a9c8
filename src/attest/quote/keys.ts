/** Judges the public areas: both can be read, and the AK is a key that signs only what its own TPM says. */
import { decode } from 'tpm2-ts/codec';
import { TpmKeyError } from 'tpm2-ts/errors';
import { nameOf } from 'tpm2-ts/name';
import { type TpmtPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { subjectPublicKeyInfo } from 'tpm2-ts/public-key';
import { type AttestCrypto, isHashName } from '../crypto/crypto.ts';
import type { Evidence } from '../evidence.ts';
import { type Failure, type Ledger, refuse } from '../ledger.ts';
import { malformed } from './tpm-decoding.ts';

export interface JudgedKeys {
  readonly ak: TpmtPublic;
  readonly ek: TpmtPublic;
  /** TPM Names: nameAlg, then the digest of the public area. */
  readonly akName: Uint8Array;
  readonly ekName: Uint8Array;
  readonly akPublicKeyInfo: Uint8Array;
  readonly ekPublicKeyInfo: Uint8Array;
}

/** The public areas decode and the AK is one that signs only what its TPM made itself. Null after a failure. */
export function judgeKeys(evidence: Evidence, crypto: AttestCrypto, ledger: Ledger): JudgedKeys | null {
  const ek = decodePublic(evidence.ekPublic, 'EK', crypto);
  if ('code' in ek) return refuse(ledger, 'keys', ek);
  const ak = decodePublic(evidence.akPublic, 'AK', crypto);
  if ('code' in ak) return refuse(ledger, 'keys', ak);
  ledger.pass('keys', 'The public areas of EK and AK are well formed.');
  const weakness = akWeakness(ak.key);
  if (weakness !== null) {
    return refuse(ledger, 'ak-attributes', {
      code: 'AK_ATTRIBUTES_UNSAFE',
      family: 'false',
      sentence: `The AK ${weakness}, so its signature proves nothing about a TPM.`,
    });
  }
  ledger.pass('ak-attributes', 'The AK is a restricted signing key made in and bound to its TPM.');
  return {
    ak: ak.key,
    ek: ek.key,
    akName: ak.name,
    ekName: ek.name,
    akPublicKeyInfo: ak.publicKeyInfo,
    ekPublicKeyInfo: ek.publicKeyInfo,
  };
}

function decodePublic(
  bytes: Uint8Array,
  what: 'EK' | 'AK',
  crypto: AttestCrypto,
): { key: TpmtPublic; name: Uint8Array; publicKeyInfo: Uint8Array } | Failure {
  try {
    const key = decode(tpmtPublic, bytes, what);
    const { nameAlg } = key;
    if (!isHashName(nameAlg)) throw new TpmKeyError(`a name algorithm (${nameAlg}) that is not judged here`);
    const name = nameOf(nameAlg, bytes, (_, data) => crypto.hash(nameAlg, data));
    return { key, name, publicKeyInfo: subjectPublicKeyInfo(key) };
  } catch (error) {
    return malformed(`${what}_PUBLIC_MALFORMED`, `The public area of the ${what} cannot be read`, error);
  }
}

function akWeakness(ak: TpmtPublic): string | null {
  const { attributes } = ak;
  for (const wanted of ['restricted', 'signEncrypt', 'fixedTpm', 'fixedParent', 'sensitiveDataOrigin'] as const) {
    if (!attributes[wanted]) return `lacks the attribute ${wanted}`;
  }
  if (attributes.decrypt) return 'also decrypts';
  if (ak.nameAlg !== 'sha256') return `has the name algorithm ${ak.nameAlg} instead of sha256`;
  if (ak.type === 'ecc' && ak.scheme.algorithm === 'ecdsa' && ak.scheme.hash === 'sha256') return null;
  if (ak.type === 'rsa' && ak.keyBits >= 2048) {
    if ((ak.scheme.algorithm === 'rsassa' || ak.scheme.algorithm === 'rsapss') && ak.scheme.hash === 'sha256')
      return null;
  }
  return 'is not fixed to ECDSA, RSASSA or RSAPSS with SHA-256';
}
