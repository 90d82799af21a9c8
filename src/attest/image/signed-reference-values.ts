/**
 * Reference values that somebody signed: a DSSE envelope (Dead Simple Signing Envelope v1) with ECDSA P-256 and SHA-256
 * over its pre-authentication encoding, so openssl and other DSSE tools can check it too. What is inside is read only
 * after a trusted key signed it, unless the caller says in words that unsigned will do.
 */
import { BytesError, concatBytes, fromBase64, toBase64, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { readPublicKeyInfo } from '../crypto/spki.ts';
import { ecdsaSignature } from '../der/ecdsa-signature.ts';
import { array, hex, object, readJson, ShapeError, text } from '../strict-json.ts';
import { parseReferenceValues, type ReferenceValues } from './reference-values.ts';

export class SignedReferenceError extends CodedError<
  | 'REFERENCE_UNSIGNED'
  | 'REFERENCE_ENVELOPE_MALFORMED'
  | 'REFERENCE_PAYLOAD_TYPE_UNKNOWN'
  | 'REFERENCE_KEY_UNKNOWN'
  | 'REFERENCE_KEY_UNUSABLE'
  | 'REFERENCE_SIGNATURE_INVALID'
> {}

export const REFERENCE_PAYLOAD_TYPE = 'application/vnd.cpushare.reference-values+json';

/** SubjectPublicKeyInfo DER, P-256, of whom one must have signed; or `unsigned`: whoever wrote the file is believed. */
export type ReferenceTrust = 'unsigned' | { readonly trustedKeys: readonly Uint8Array[] };

export interface ReadReferenceValues {
  readonly values: ReferenceValues;
  /** SHA-256 of the SubjectPublicKeyInfo of the key that signed, hex; null: not checked, because unsigned was asked for. */
  readonly signedBy: string | null;
}

type Crypto = Pick<AttestCrypto, 'hash' | 'verify'>;

/** A file of plain reference values, or an envelope. @throws SignedReferenceError, ReferenceValuesError */
export function readReferenceValues(bytes: Uint8Array, trust: ReferenceTrust, crypto: Crypto): ReadReferenceValues {
  if (!isEnvelope(bytes)) {
    if (trust === 'unsigned') return { values: parseReferenceValues(bytes), signedBy: null };
    throw new SignedReferenceError('REFERENCE_UNSIGNED', 'these reference values are not signed', {
      nextStep: 'use the signed file that was published with the release, or leave out the key if you trust this file',
    });
  }
  const envelope = readEnvelope(bytes);
  const signedBy = trust === 'unsigned' ? null : signerOf(envelope, trust.trustedKeys, crypto);
  return { values: parseReferenceValues(envelope.payload), signedBy };
}

/** Whose keys the envelope names: a claim of whoever wrote it. @throws SignedReferenceError */
export function statedSigners(bytes: Uint8Array): readonly string[] | null {
  return isEnvelope(bytes) ? readEnvelope(bytes).signatures.map(({ keyId }) => keyId) : null;
}

/** SHA-256 of the SubjectPublicKeyInfo, hex. */
export function referenceKeyId(publicKey: Uint8Array, crypto: Pick<AttestCrypto, 'hash'>): string {
  return toHex(crypto.hash('sha256', publicKey));
}

/** What is signed: PAE of DSSE v1. */
export function preAuthEncoding(payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${REFERENCE_PAYLOAD_TYPE.length} ${REFERENCE_PAYLOAD_TYPE} ${payload.length} `;
  return concatBytes(new TextEncoder().encode(head), payload);
}

/** `signature`: ECDSA in DER, as openssl and node:crypto make it. */
export function encodeEnvelope(payload: Uint8Array, signature: Uint8Array, keyId: string): string {
  const envelope = {
    payloadType: REFERENCE_PAYLOAD_TYPE,
    payload: toBase64(payload),
    signatures: [{ keyid: keyId, sig: toBase64(signature) }],
  };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}

interface Envelope {
  readonly payload: Uint8Array;
  readonly signatures: readonly { readonly keyId: string; readonly signature: Uint8Array }[];
}

const MAX_PAYLOAD_CHARACTERS = 8_000_000;
const base64 = (max: number) => text(max, /^[A-Za-z0-9+/]+={0,2}$/);
const shape = object({
  payloadType: text(200),
  payload: base64(MAX_PAYLOAD_CHARACTERS),
  signatures: array(object({ keyid: hex(32), sig: base64(200) }), { min: 1, max: 8 }),
});

/** An envelope is told by its first key alone, so that a broken one is not taken for something else. */
function isEnvelope(bytes: Uint8Array): boolean {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 4096));
  return /^\s*\{\s*"(payload|payloadType|signatures)"\s*:/.test(head);
}

function readEnvelope(bytes: Uint8Array): Envelope {
  let read: ReturnType<typeof shape>;
  try {
    read = readJson(bytes, shape, 'envelope');
    if (read.payloadType === REFERENCE_PAYLOAD_TYPE) {
      return {
        payload: fromBase64(read.payload),
        signatures: read.signatures.map(({ keyid, sig }) => ({ keyId: keyid, signature: fromBase64(sig) })),
      };
    }
  } catch (cause) {
    if (!(cause instanceof ShapeError || cause instanceof BytesError)) throw cause;
    throw new SignedReferenceError('REFERENCE_ENVELOPE_MALFORMED', 'this is no envelope of signed reference values', {
      cause,
      nextStep: 'fetch the file again; it must be as "attest reference sign" wrote it',
    });
  }
  throw new SignedReferenceError(
    'REFERENCE_PAYLOAD_TYPE_UNKNOWN',
    `the envelope holds ${JSON.stringify(read.payloadType)}, not ${REFERENCE_PAYLOAD_TYPE}`,
    { nextStep: 'use the reference values of a release' },
  );
}

function signerOf({ payload, signatures }: Envelope, trustedKeys: readonly Uint8Array[], crypto: Crypto): string {
  const trusted = new Map(trustedKeys.map((key) => [referenceKeyId(requireP256(key), crypto), key]));
  const named = signatures.filter(({ keyId }) => trusted.has(keyId));
  if (named.length === 0) {
    throw new SignedReferenceError(
      'REFERENCE_KEY_UNKNOWN',
      `the reference values are signed by ${signatures.map(({ keyId }) => keyId).join(', ')}, trusted is ${[...trusted.keys()].join(', ') || 'nobody'}`,
      { nextStep: 'check the key against the one that the publisher of the release names' },
    );
  }
  const data = preAuthEncoding(payload);
  for (const { keyId, signature } of named) {
    const der = trusted.get(keyId);
    const raw = ecdsaSignature(signature, 'P-256');
    if (der === undefined || raw === null) continue;
    const check = { key: { kind: 'spki', der }, scheme: 'ecdsa', hash: 'sha256', data, signature: raw } as const;
    if (crypto.verify(check)) return keyId;
  }
  throw new SignedReferenceError(
    'REFERENCE_SIGNATURE_INVALID',
    `the key ${named[0]?.keyId} did not sign these reference values: they were altered`,
    { nextStep: 'fetch the file again from whoever publishes the release' },
  );
}

/** @throws SignedReferenceError */
export function requireP256(publicKey: Uint8Array): Uint8Array {
  let cause: unknown;
  try {
    const key = readPublicKeyInfo(publicKey);
    if (key.kind === 'ec' && key.curve === 'P-256') return publicKey;
    cause = new Error('the key is of another kind');
  } catch (error) {
    cause = error;
  }
  throw new SignedReferenceError('REFERENCE_KEY_UNUSABLE', 'reference values are signed with P-256 keys', {
    cause,
    nextStep: 'make one: cpushare attest reference keygen --out reference-key.pem',
  });
}
