/** Public areas of TPM objects, Part 2 §8.3 and §12.2: what kind of key it is and what it may do. */
import {
  eccCurve,
  eccScheme,
  hashAlgorithmOrNull,
  kdfScheme,
  keyedHashScheme,
  rsaScheme,
  symmetric,
} from './algorithms.ts';
import { flags, numberIn, oneOf, sized, sizedBytes, u16, u32, type Value } from './codec.ts';
import { ALG } from './constants.ts';
import { struct, tagged } from './struct.ts';

/** TPMA_OBJECT, §8.3. A set reserved bit is refused. */
export const objectAttributes = flags(u32, {
  fixedTpm: 1,
  stClear: 2,
  fixedParent: 4,
  sensitiveDataOrigin: 5,
  userWithAuth: 6,
  adminWithPolicy: 7,
  firmwareLimited: 8,
  svnLimited: 9,
  noDa: 10,
  encryptedDuplication: 11,
  restricted: 16,
  decrypt: 17,
  signEncrypt: 18,
  x509Sign: 19,
});
export type ObjectAttributes = Value<typeof objectAttributes>;

/** TPM2B_DIGEST, §10.4.2: at most one SHA-512. */
export const digest = sizedBytes(64);
/** TPM2B_ECC_PARAMETER, §11.2.5.1: up to P-521 and BN-638. */
export const eccParameter = sizedBytes(80);
/** TPM2B_PUBLIC_KEY_RSA, §11.2.4.5: up to 4096 bits. */
export const rsaParameter = sizedBytes(512);
/** TPMS_ECC_POINT, §11.2.5.2. */
export const eccPoint = struct({ x: eccParameter, y: eccParameter });

/** TPMT_PUBLIC, §12.2.4. `type` selects parameters and unique part. */
export const tpmtPublic = tagged(
  {
    type: oneOf(u16, { rsa: ALG.rsa, keyedHash: ALG.keyedHash, ecc: ALG.ecc, symCipher: ALG.symCipher }),
    nameAlg: hashAlgorithmOrNull,
    attributes: objectAttributes,
    authPolicy: digest,
  },
  'type',
  {
    rsa: struct({
      symmetric,
      scheme: rsaScheme,
      keyBits: numberIn(u16, [1024, 2048, 3072, 4096]),
      /** 0 stands for 65537. */
      exponent: u32,
      /** The modulus, big-endian; in a template a value that diversifies the key. */
      unique: rsaParameter,
    }),
    ecc: struct({ symmetric, scheme: eccScheme, curve: eccCurve, kdf: kdfScheme, unique: eccPoint }),
    keyedHash: struct({ scheme: keyedHashScheme, unique: digest }),
    symCipher: struct({ symmetric, unique: digest }),
  },
);
export type TpmtPublic = Value<typeof tpmtPublic>;
export type RsaPublic = Extract<TpmtPublic, { readonly type: 'rsa' }>;
export type EccPublic = Extract<TpmtPublic, { readonly type: 'ecc' }>;

/** TPM2B_PUBLIC, §12.2.5. */
export const tpm2bPublic = sized(u16, tpmtPublic);
