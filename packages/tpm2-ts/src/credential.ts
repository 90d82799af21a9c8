/** Credential activation, Part 2 §12.4 and §11.4.3: what MakeCredential hands to ActivateCredential. */
import { rest, sized, sizedBytes, u16, type Value } from './codec.ts';
import { digest } from './public-area.ts';
import { struct } from './struct.ts';

/** TPMS_ID_OBJECT, §12.4.1: HMAC over the encrypted credential and the AK's name, then the encrypted TPM2B_DIGEST. */
export const tpmsIdObject = struct({ integrityHmac: digest, encryptedIdentity: rest });
export type TpmsIdObject = Value<typeof tpmsIdObject>;
/** TPM2B_ID_OBJECT, §12.4.2. */
export const tpm2bIdObject = sized(u16, tpmsIdObject, 132);
/** TPM2B_ENCRYPTED_SECRET, §11.4.3: OAEP ciphertext for an RSA EK, the ephemeral TPMS_ECC_POINT for an ECC one. */
export const tpm2bEncryptedSecret = sizedBytes(512);
/** TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET as opaque bytes. */
export const opaqueIdObject = sizedBytes(132);
