/** The cryptography that sessions and credentials need, as functions from outside: `nodeCrypto` on Node.js, others elsewhere. */
import type { HashName } from './constants.ts';
import type { EccPublic, RsaPublic } from './public-area.ts';

/** Every function is synchronous and keeps no reference to what it is given. */
export interface TpmCrypto {
  digest(hash: HashName, data: Uint8Array): Uint8Array;
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** AES in CFB mode with 128 bits of feedback; the key's length selects AES-128, -192 or -256. `iv` is 16 bytes. */
  aesCfb(direction: 'encrypt' | 'decrypt', key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** From a cryptographic generator. */
  randomBytes(count: number): Uint8Array;
  /** RSAES-OAEP (RFC 8017 §7.1), `hash` for both label and mask. @throws TpmKeyError when the key cannot be used */
  rsaOaepEncrypt(key: RsaPublic, hash: HashName, label: Uint8Array, message: Uint8Array): Uint8Array;
  /**
   * A fresh key on the key's curve and the x coordinate it shares with the key; all coordinates as long as the curve's field.
   * @throws TpmKeyError when the curve is not supported or the key is no point on it
   */
  ecdhEphemeral(key: EccPublic): {
    readonly point: { readonly x: Uint8Array; readonly y: Uint8Array };
    readonly sharedX: Uint8Array;
    /** The given key's own x coordinate, padded to the field. */
    readonly keyX: Uint8Array;
  };
}
