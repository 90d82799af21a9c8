/**
 * Templates of the keys this package makes. EK: TCG EK Credential Profile 2.6, annex B, so that the key is the one the
 * vendor's certificate names; a template or nonce in NV overrides them (ek-template.ts). AK: restricted signing keys, which sign nothing but what their TPM states itself.
 */
import type { TpmtPublic } from './public-area.ts';

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const OFF = {
  fixedTpm: true,
  stClear: false,
  fixedParent: true,
  sensitiveDataOrigin: true,
  userWithAuth: false,
  adminWithPolicy: false,
  firmwareLimited: false,
  svnLimited: false,
  noDa: false,
  encryptedDuplication: false,
  restricted: true,
  decrypt: false,
  signEncrypt: false,
  x509Sign: false,
};
/** Low range: only a policy session with PolicySecret(endorsement) may use the key. */
const LOW_ATTRIBUTES = { ...OFF, adminWithPolicy: true, decrypt: true };
/** High range: the empty password may use it too. */
const HIGH_ATTRIBUTES = { ...LOW_ATTRIBUTES, userWithAuth: true };
/** PolicyA, §B.6.2: PolicySecret(TPM_RH_ENDORSEMENT). */
const POLICY_A_SHA256 = hex('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa');
/** PolicyB, §B.6.4: PolicyOR(PolicyA, PolicyC), where PolicyC is PolicyAuthorizeNV. The test computes all of them anew. */
const POLICY_B = {
  sha256: hex('ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0'),
  sha384: hex('b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12'),
  sha512: hex(
    'b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a4' +
      '29c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea',
  ),
};
const AES_128 = { algorithm: 'aes', keyBits: 128, mode: 'cfb' } as const;
const AES_256 = { algorithm: 'aes', keyBits: 256, mode: 'cfb' } as const;
const NONE = { algorithm: 'null' } as const;
const EMPTY = new Uint8Array();

/**
 * L-1 (RSA-2048), L-2 (P-256), H-1 (RSA-2048), H-2 (P-256), H-3 (P-384), H-4 (P-521), H-6 (RSA-3072) and H-7 (RSA-4096).
 * H-5 is an SM2 key, which this package does not make.
 */
export const EK_TEMPLATES = {
  rsa: rsaEk('sha256', 2048, LOW_ATTRIBUTES, POLICY_A_SHA256, new Uint8Array(256)),
  ecc: eccEk('sha256', 'p256', LOW_ATTRIBUTES, POLICY_A_SHA256, { x: new Uint8Array(32), y: new Uint8Array(32) }),
  rsaHigh: rsaEk('sha256', 2048, HIGH_ATTRIBUTES, POLICY_B.sha256, EMPTY),
  eccHigh: eccEk('sha256', 'p256', HIGH_ATTRIBUTES, POLICY_B.sha256, { x: EMPTY, y: EMPTY }),
  ecc384High: eccEk('sha384', 'p384', HIGH_ATTRIBUTES, POLICY_B.sha384, { x: EMPTY, y: EMPTY }),
  ecc521High: eccEk('sha512', 'p521', HIGH_ATTRIBUTES, POLICY_B.sha512, { x: EMPTY, y: EMPTY }),
  rsa3072High: rsaEk('sha384', 3072, HIGH_ATTRIBUTES, POLICY_B.sha384, EMPTY),
  rsa4096High: rsaEk('sha384', 4096, HIGH_ATTRIBUTES, POLICY_B.sha384, EMPTY),
} as const satisfies Record<string, TpmtPublic>;
export type EkKind = keyof typeof EK_TEMPLATES;

export type AkKind = 'ecc' | 'rsa';
const AK_ATTRIBUTES = { ...OFF, userWithAuth: true, noDa: true, signEncrypt: true };

/**
 * An AK template. As a primary key it comes out the same at every boot as long as `label` (at most 32 bytes of UTF-8)
 * stays the same; another label is another key.
 */
export function akTemplate(kind: AkKind, label: string): TpmtPublic {
  const unique = new TextEncoder().encode(label);
  if (unique.length > 32) throw new RangeError(`the label ${JSON.stringify(label)} is longer than 32 bytes`);
  const common = { nameAlg: 'sha256', attributes: AK_ATTRIBUTES, authPolicy: EMPTY, symmetric: NONE } as const;
  if (kind === 'rsa') {
    return {
      type: 'rsa',
      ...common,
      scheme: { algorithm: 'rsassa', hash: 'sha256' },
      keyBits: 2048,
      exponent: 0,
      unique,
    };
  }
  const scheme = { algorithm: 'ecdsa', hash: 'sha256' } as const;
  return { type: 'ecc', ...common, scheme, curve: 'p256', kdf: NONE, unique: { x: unique, y: EMPTY } };
}

function rsaEk<Hash extends 'sha256' | 'sha384'>(
  nameAlg: Hash,
  keyBits: 2048 | 3072 | 4096,
  attributes: typeof OFF,
  authPolicy: Uint8Array,
  unique: Uint8Array,
) {
  const symmetric = nameAlg === 'sha256' ? AES_128 : AES_256;
  return {
    type: 'rsa',
    nameAlg,
    attributes,
    authPolicy,
    symmetric,
    scheme: NONE,
    keyBits,
    exponent: 0,
    unique,
  } as const;
}

function eccEk<Hash extends 'sha256' | 'sha384' | 'sha512'>(
  nameAlg: Hash,
  curve: 'p256' | 'p384' | 'p521',
  attributes: typeof OFF,
  authPolicy: Uint8Array,
  unique: { readonly x: Uint8Array; readonly y: Uint8Array },
) {
  const symmetric = nameAlg === 'sha256' ? AES_128 : AES_256;
  return { type: 'ecc', nameAlg, attributes, authPolicy, symmetric, scheme: NONE, curve, kdf: NONE, unique } as const;
}
