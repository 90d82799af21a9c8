/**
 * Templates of the keys this package makes. EK: TCG EK Credential Profile 2.5, annex B, so that the key is the one the
 * vendor's certificate names. AK: restricted signing keys, which sign nothing but what their TPM states itself.
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
/** PolicyB, §B.6.4: PolicyOR(PolicyA, PolicyC). */
const POLICY_B_SHA256 = hex('ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0');
const POLICY_B_SHA384 = hex(
  'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12',
);
const AES_128 = { algorithm: 'aes', keyBits: 128, mode: 'cfb' } as const;
const AES_256 = { algorithm: 'aes', keyBits: 256, mode: 'cfb' } as const;
const NONE = { algorithm: 'null' } as const;
const EMPTY = new Uint8Array();

/** L-1 (RSA-2048), L-2 (P-256), H-1 (RSA-2048), H-2 (P-256) and H-3 (P-384). */
export const EK_TEMPLATES = {
  rsa: rsaEk('sha256', LOW_ATTRIBUTES, POLICY_A_SHA256, new Uint8Array(256)),
  ecc: eccEk('sha256', 'p256', LOW_ATTRIBUTES, POLICY_A_SHA256, { x: new Uint8Array(32), y: new Uint8Array(32) }),
  rsaHigh: rsaEk('sha256', HIGH_ATTRIBUTES, POLICY_B_SHA256, EMPTY),
  eccHigh: eccEk('sha256', 'p256', HIGH_ATTRIBUTES, POLICY_B_SHA256, { x: EMPTY, y: EMPTY }),
  ecc384High: eccEk('sha384', 'p384', HIGH_ATTRIBUTES, POLICY_B_SHA384, { x: EMPTY, y: EMPTY }),
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

function rsaEk(nameAlg: 'sha256', attributes: typeof OFF, authPolicy: Uint8Array, unique: Uint8Array) {
  const rest = { symmetric: AES_128, scheme: NONE, keyBits: 2048, exponent: 0, unique };
  return { type: 'rsa', nameAlg, attributes, authPolicy, ...rest } as const;
}

function eccEk(
  nameAlg: 'sha256' | 'sha384',
  curve: 'p256' | 'p384',
  attributes: typeof OFF,
  authPolicy: Uint8Array,
  unique: { readonly x: Uint8Array; readonly y: Uint8Array },
) {
  const symmetric = curve === 'p256' ? AES_128 : AES_256;
  return { type: 'ecc', nameAlg, attributes, authPolicy, symmetric, scheme: NONE, curve, kdf: NONE, unique } as const;
}
