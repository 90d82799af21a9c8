/** Public areas of TPM keys as evidence hands them over: decoded, with the Name that the TPM knows the key by. */
import { decode } from 'tpm2-ts/codec';
import { TpmKeyError } from 'tpm2-ts/errors';
import { nameOf } from 'tpm2-ts/name';
import { type TpmtPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { toHex } from '../../shared/bytes.ts';
import { type AttestCrypto, isHashName, type VerificationKey } from '../crypto/crypto.ts';
import { publicKeyOfTpm } from '../der/der-key.ts';
import { rememberingBytes } from '../remembering.ts';

export interface PublicArea {
  readonly key: TpmtPublic;
  /** TPM Name: nameAlg, then the digest of the public area. */
  readonly name: Uint8Array;
  readonly nameHex: string;
  readonly publicKey: VerificationKey;
}

/** Both throw TpmCodecError, TpmKeyError. */
export interface PublicAreas {
  readonly ek: (bytes: Uint8Array) => PublicArea;
  readonly ak: (bytes: Uint8Array) => PublicArea;
}

/** `rememberedMachines`: of how many machines the keys are not decoded anew each time. */
export function publicAreas(crypto: Pick<AttestCrypto, 'hash'>, rememberedMachines = 0): PublicAreas {
  return {
    ek: rememberingBytes(rememberedMachines, (bytes) => readPublicArea(bytes, 'EK', crypto)),
    ak: rememberingBytes(rememberedMachines, (bytes) => readPublicArea(bytes, 'AK', crypto)),
  };
}

function readPublicArea(bytes: Uint8Array, what: 'EK' | 'AK', crypto: Pick<AttestCrypto, 'hash'>): PublicArea {
  const key = decode(tpmtPublic, bytes, what);
  const { nameAlg } = key;
  if (!isHashName(nameAlg)) throw new TpmKeyError(`a name algorithm (${nameAlg}) that is not judged here`);
  const name = nameOf(nameAlg, bytes, (_, data) => crypto.hash(nameAlg, data));
  if (key.type === 'rsa' && key.unique.length !== key.keyBits / 8) {
    throw new TpmKeyError(`an RSA-${key.keyBits} key with a modulus of ${key.unique.length} bytes`);
  }
  const publicKey = publicKeyOfTpm(key);
  if (publicKey === null || publicKey.kind === 'other') {
    throw new TpmKeyError(`a key of type ${key.type}, neither RSA nor on P-256, P-384 or P-521`);
  }
  return { key, name, nameHex: toHex(name), publicKey };
}
