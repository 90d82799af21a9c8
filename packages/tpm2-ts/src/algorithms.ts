/** Algorithm identifiers and schemes, Part 2 §9, §11.1 and §11.2: in TypeScript they are names, never bare numbers. */
import { numberIn, oneOf, u16, type Value } from './codec.ts';
import { ALG, ECC_CURVES, HASH_ALGORITHMS } from './constants.ts';
import { struct, tagged } from './struct.ts';

/** TPMI_ALG_HASH, §9.26. */
export const hashAlgorithm = oneOf(u16, HASH_ALGORITHMS);
/** TPMI_ALG_HASH+: may also be none. */
export const hashAlgorithmOrNull = oneOf(u16, { ...HASH_ALGORITHMS, null: ALG.null });
/** TPMI_ECC_CURVE, §11.2.5.5. */
export const eccCurve = oneOf(u16, ECC_CURVES);

const none = struct({});
const hashOnly = struct({ hash: hashAlgorithm });
const blockCipher = struct({
  keyBits: numberIn(u16, [128, 192, 256]),
  mode: oneOf(u16, { ctr: ALG.ctr, ofb: ALG.ofb, cbc: ALG.cbc, cfb: ALG.cfb, ecb: ALG.ecb, null: ALG.null }),
});

/** TPMT_SYM_DEF_OBJECT+, §11.1.7: how a storage key protects its children. */
export const symmetric = tagged(
  { algorithm: oneOf(u16, { aes: ALG.aes, sm4: ALG.sm4, camellia: ALG.camellia, tdes: ALG.tdes, null: ALG.null }) },
  'algorithm',
  { aes: blockCipher, sm4: blockCipher, camellia: blockCipher, tdes: blockCipher, null: none },
);
export type Symmetric = Value<typeof symmetric>;

/** TPMT_SYM_DEF+, §11.1.6: how a session encrypts parameters. XOR obfuscation is refused: it is no encryption. */
export const sessionCipher = tagged({ algorithm: oneOf(u16, { aes: ALG.aes, null: ALG.null }) }, 'algorithm', {
  aes: struct({ keyBits: numberIn(u16, [128, 192, 256]), mode: oneOf(u16, { cfb: ALG.cfb }) }),
  null: none,
});

/** TPMT_RSA_SCHEME+, §11.2.4.2. */
export const rsaScheme = tagged(
  {
    algorithm: oneOf(u16, { rsassa: ALG.rsassa, rsaes: ALG.rsaes, rsapss: ALG.rsapss, oaep: ALG.oaep, null: ALG.null }),
  },
  'algorithm',
  { rsassa: hashOnly, rsaes: none, rsapss: hashOnly, oaep: hashOnly, null: none },
);
export type RsaScheme = Value<typeof rsaScheme>;

/** TPMT_ECC_SCHEME+, §11.2.5.6. */
export const eccScheme = tagged(
  {
    algorithm: oneOf(u16, {
      ecdsa: ALG.ecdsa,
      ecdh: ALG.ecdh,
      ecdaa: ALG.ecdaa,
      sm2: ALG.sm2,
      ecschnorr: ALG.ecschnorr,
      ecmqv: ALG.ecmqv,
      null: ALG.null,
    }),
  },
  'algorithm',
  {
    ecdsa: hashOnly,
    ecdh: hashOnly,
    ecdaa: struct({ hash: hashAlgorithm, count: u16 }),
    sm2: hashOnly,
    ecschnorr: hashOnly,
    ecmqv: hashOnly,
    null: none,
  },
);
export type EccScheme = Value<typeof eccScheme>;

const kdfNames = { mgf1: ALG.mgf1, kdf1Sp80056a: ALG.kdf1Sp80056a, kdf2: ALG.kdf2, kdf1Sp800108: ALG.kdf1Sp800108 };

/** TPMT_KDF_SCHEME+, §11.2.3.3. */
export const kdfScheme = tagged({ algorithm: oneOf(u16, { ...kdfNames, null: ALG.null }) }, 'algorithm', {
  mgf1: hashOnly,
  kdf1Sp80056a: hashOnly,
  kdf2: hashOnly,
  kdf1Sp800108: hashOnly,
  null: none,
});

/** TPMT_KEYEDHASH_SCHEME+, §11.1.24. */
export const keyedHashScheme = tagged(
  { algorithm: oneOf(u16, { hmac: ALG.hmac, xor: ALG.xor, null: ALG.null }) },
  'algorithm',
  {
    hmac: hashOnly,
    xor: struct({ hash: hashAlgorithm, kdf: oneOf(u16, { ...kdfNames, null: ALG.null }) }),
    null: none,
  },
);
