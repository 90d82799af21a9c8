/** Numbers of TPM 2.0 Library Part 2, under the names used across this package. Section numbers are of revision 1.59. */

/** TPM_ALG_ID of hash algorithms, §6.3. */
export const HASH_ALGORITHMS = {
  sha1: 0x0004,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  sm3_256: 0x0012,
  sha3_256: 0x0027,
  sha3_384: 0x0028,
  sha3_512: 0x0029,
} as const;
export type HashName = keyof typeof HASH_ALGORITHMS;

/** Digest size in bytes. */
export const HASH_SIZES: Readonly<Record<HashName, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  sm3_256: 32,
  sha3_256: 32,
  sha3_384: 48,
  sha3_512: 64,
};

/** The other TPM_ALG_IDs, §6.3. */
export const ALG = {
  rsa: 0x0001,
  tdes: 0x0003,
  hmac: 0x0005,
  aes: 0x0006,
  mgf1: 0x0007,
  keyedHash: 0x0008,
  xor: 0x000a,
  null: 0x0010,
  sm4: 0x0013,
  rsassa: 0x0014,
  rsaes: 0x0015,
  rsapss: 0x0016,
  oaep: 0x0017,
  ecdsa: 0x0018,
  ecdh: 0x0019,
  ecdaa: 0x001a,
  sm2: 0x001b,
  ecschnorr: 0x001c,
  ecmqv: 0x001d,
  kdf1Sp80056a: 0x0020,
  kdf2: 0x0021,
  kdf1Sp800108: 0x0022,
  ecc: 0x0023,
  symCipher: 0x0025,
  camellia: 0x0026,
  ctr: 0x0040,
  ofb: 0x0041,
  cbc: 0x0042,
  cfb: 0x0043,
  ecb: 0x0044,
} as const;

/** TPM_ECC_CURVE, §6.4. */
export const ECC_CURVES = {
  p192: 0x0001,
  p224: 0x0002,
  p256: 0x0003,
  p384: 0x0004,
  p521: 0x0005,
  bn256: 0x0010,
  bn638: 0x0011,
  sm2_p256: 0x0020,
} as const;
export type CurveName = keyof typeof ECC_CURVES;

/** TPM_ST, §6.9. */
export const ST = {
  noSessions: 0x8001,
  sessions: 0x8002,
  creation: 0x8021,
  verified: 0x8022,
  authSecret: 0x8023,
  hashcheck: 0x8024,
  authSigned: 0x8025,
} as const;

/** TPM_CC of the commands of this package, §6.5.2. */
export const CC = {
  createPrimary: 0x0000_0131,
  activateCredential: 0x0000_0147,
  create: 0x0000_0153,
  shutdown: 0x0000_0145,
  startup: 0x0000_0144,
  nvRead: 0x0000_014e,
  policySecret: 0x0000_0151,
  load: 0x0000_0157,
  quote: 0x0000_0158,
  unseal: 0x0000_015e,
  flushContext: 0x0000_0165,
  nvReadPublic: 0x0000_0169,
  readPublic: 0x0000_0173,
  startAuthSession: 0x0000_0176,
  getCapability: 0x0000_017a,
  getRandom: 0x0000_017b,
  pcrRead: 0x0000_017e,
  policyAuthValue: 0x0000_016b,
  policyCommandCode: 0x0000_016c,
  policyOr: 0x0000_0171,
  policyPcr: 0x0000_017f,
  policyRestart: 0x0000_0180,
  readClock: 0x0000_0181,
  pcrExtend: 0x0000_0182,
  policyGetDigest: 0x0000_0189,
  policyAuthorizeNv: 0x0000_0192,
} as const;

/** TPM_RH, §7.4, and TPM_RS_PW. */
export const RH = {
  owner: 0x4000_0001,
  null: 0x4000_0007,
  passwordSession: 0x4000_0009,
  lockout: 0x4000_000a,
  endorsement: 0x4000_000b,
  platform: 0x4000_000c,
} as const;

/** TPM_CAP, §6.12. */
export const CAPABILITY = {
  algorithms: 0,
  handles: 1,
  commands: 2,
  ppCommands: 3,
  auditCommands: 4,
  pcrs: 5,
  tpmProperties: 6,
  pcrProperties: 7,
  eccCurves: 8,
  authPolicies: 9,
  acts: 10,
} as const;
export type CapabilityName = keyof typeof CAPABILITY;

/** TPM_PT, §6.13: fixed properties used here. Text properties hold four ASCII characters. */
export const PROPERTY = {
  familyIndicator: 0x100,
  revision: 0x102,
  manufacturer: 0x105,
  vendorString1: 0x106,
  vendorString4: 0x109,
  firmwareVersion1: 0x10b,
  firmwareVersion2: 0x10c,
  nvBufferMax: 0x12c,
  /** How often a wrong password was counted. */
  lockoutCounter: 0x20e,
  /** At this count the TPM is locked out. */
  maxAuthFail: 0x20f,
  /** Seconds after which one failure is forgotten; 0 for never. */
  lockoutInterval: 0x210,
  /** Seconds until the lockout password may be tried again; 0 for the next start. */
  lockoutRecovery: 0x211,
} as const;

/** Where the TCG EK Credential Profile (2.6, §2.2.2.4 to §2.2.2.6) puts certificates, nonces and templates in NV. */
export const EK_NV = {
  rsa2048: 0x01c0_0002,
  rsa2048Nonce: 0x01c0_0003,
  rsa2048Template: 0x01c0_0004,
  eccP256: 0x01c0_000a,
  eccP256Nonce: 0x01c0_000b,
  eccP256Template: 0x01c0_000c,
  rsa2048High: 0x01c0_0012,
  eccP256High: 0x01c0_0014,
  eccP384High: 0x01c0_0016,
  eccP521High: 0x01c0_0018,
  /** Template H-5, on the Chinese curve SM2. Named only: this package makes no such key. */
  sm2High: 0x01c0_001a,
  rsa3072High: 0x01c0_001c,
  rsa4096High: 0x01c0_001e,
  /** First and last index of the chain of CA certificates. */
  chainFirst: 0x01c0_0100,
  chainLast: 0x01c0_01ff,
} as const;
