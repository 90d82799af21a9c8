/** Certificates and revocation lists for tests, every field free: to write what no authority would issue. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { EccPublic, TpmtPublic } from 'tpm2-ts/public-area';
import { EK_TEMPLATES } from 'tpm2-ts/templates';
import * as w from './der-writer.ts';

export type KeyKind = 'rsa' | 'rsa1024' | 'P-256' | 'P-384' | 'P-521';
type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const RSA_OIDS = { sha1: '5', sha256: '11', sha384: '12', sha512: '13' };
const ECDSA_OIDS = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};

export function newKey(kind: KeyKind = 'P-256'): KeyObject {
  if (kind === 'rsa' || kind === 'rsa1024') {
    return generateKeyPairSync('rsa', { modulusLength: kind === 'rsa' ? 2048 : 1024 }).privateKey;
  }
  return generateKeyPairSync('ec', { namedCurve: kind }).privateKey;
}

export const spkiOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));

/** The same RSA key under id-RSAES-OAEP with the parameters that TPM 1.2 certificates have. */
export function oaepSpkiOf(key: KeyObject): Uint8Array {
  const pkcs1 = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'pkcs1' }));
  const label = w.der(0xa2, w.sequence(w.oid('1.2.840.113549.1.1.9'), w.octets(new TextEncoder().encode('TCPA\0'))));
  return w.sequence(w.sequence(w.oid('1.2.840.113549.1.1.7'), w.sequence(label)), w.bits(pkcs1));
}

/** The public area that a TPM would show for this key, of the template L-1, L-2 or H-3. */
export function ekPublicOf(key: KeyObject): TpmtPublic {
  const { kty, n, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  const bytes = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  if (kty === 'RSA') return { ...EK_TEMPLATES.rsa, unique: bytes(n) };
  const template: EccPublic = crv === 'P-256' ? EK_TEMPLATES.ecc : EK_TEMPLATES.ecc384High;
  return { ...template, curve: crv === 'P-521' ? 'p521' : template.curve, unique: { x: bytes(x), y: bytes(y) } };
}

export interface Signer {
  readonly key: KeyObject;
  /** The name it signs under, DER. */
  readonly name: Uint8Array;
  readonly hash?: Hash;
}

export interface CertificateFields {
  readonly signer: Signer;
  readonly subject: Uint8Array;
  readonly publicKeyInfo: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  readonly serial?: Uint8Array;
  readonly notBefore?: Uint8Array;
  readonly notAfter?: Uint8Array;
  readonly version?: Uint8Array;
  /** Flips a bit of the signature. */
  readonly forged?: boolean;
}

export function writeCertificate(fields: CertificateFields): Uint8Array {
  const body = w.sequence(
    fields.version ?? w.der(0xa0, w.integer(2)),
    fields.serial ?? w.integer(1),
    algorithmOf(fields.signer),
    fields.signer.name,
    w.sequence(fields.notBefore ?? w.utcTime('200101000000Z'), fields.notAfter ?? w.generalizedTime('99991231235959Z')),
    fields.subject,
    fields.publicKeyInfo,
    ...(fields.extensions === undefined ? [] : [w.der(0xa3, w.sequence(...fields.extensions))]),
  );
  return signed(body, fields.signer, fields.forged ?? false);
}

export interface ListFields {
  readonly signer: Signer;
  readonly thisUpdate?: Uint8Array;
  /** Null leaves it out. */
  readonly nextUpdate?: Uint8Array | null;
  /** Serial numbers as INTEGERs in DER. */
  readonly revoked?: readonly Uint8Array[];
  readonly extensions?: readonly Uint8Array[];
  readonly entryExtensions?: readonly Uint8Array[];
  readonly forged?: boolean;
}

export function writeRevocationList(fields: ListFields): Uint8Array {
  const { revoked = [], entryExtensions, extensions } = fields;
  const rest = entryExtensions === undefined ? [] : [w.sequence(...entryExtensions)];
  const entries = revoked.map((serial) => w.sequence(serial, w.utcTime('260101000000Z'), ...rest));
  const nextUpdate = fields.nextUpdate === undefined ? w.utcTime('270101000000Z') : fields.nextUpdate;
  const body = w.sequence(
    w.integer(1),
    algorithmOf(fields.signer),
    fields.signer.name,
    fields.thisUpdate ?? w.utcTime('260101000000Z'),
    ...(nextUpdate === null ? [] : [nextUpdate]),
    ...(entries.length === 0 ? [] : [w.sequence(...entries)]),
    ...(extensions === undefined ? [] : [w.der(0xa0, w.sequence(...extensions))]),
  );
  return signed(body, fields.signer, fields.forged ?? false);
}

export const usages = {
  ek: w.extension('2.5.29.37', w.sequence(w.oid('2.23.133.8.1'))),
  ca: w.extension('2.5.29.19', w.sequence(w.TRUE), w.TRUE),
  /** keyCertSign and cRLSign. */
  certSign: w.extension('2.5.29.15', w.der(0x03, Uint8Array.of(1, 0x06)), w.TRUE),
  keyAgreement: w.extension('2.5.29.15', w.der(0x03, Uint8Array.of(3, 0x08)), w.TRUE),
  keyEncipherment: w.extension('2.5.29.15', w.der(0x03, Uint8Array.of(5, 0x20)), w.TRUE),
  digitalSignature: w.extension('2.5.29.15', w.der(0x03, Uint8Array.of(7, 0x80)), w.TRUE),
};

/** Subject alternative name of an EK certificate: manufacturer, model, version. */
export function tpmName(manufacturer: string, model = 'model'): Uint8Array {
  const names = { '2.23.133.2.1': manufacturer, '2.23.133.2.2': model, '2.23.133.2.3': 'id:00000001' };
  return w.extension('2.5.29.17', w.sequence(w.der(0xa4, w.name(names))), w.TRUE);
}

function algorithmOf({ key, hash = 'sha256' }: Signer): Uint8Array {
  if (key.asymmetricKeyType === 'rsa') {
    return w.sequence(w.oid(`1.2.840.113549.1.1.${RSA_OIDS[hash]}`), w.der(0x05));
  }
  return w.sequence(w.oid(ECDSA_OIDS[hash]));
}

function signed(body: Uint8Array, signer: Signer, forged: boolean): Uint8Array {
  const signature = new Uint8Array(sign(signer.hash ?? 'sha256', body, signer.key));
  if (forged) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  return w.sequence(body, algorithmOf(signer), w.bits(signature));
}
