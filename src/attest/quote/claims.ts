/** The machine's claims about itself: strict JSON, signed by the session key that the quote is bound to. */
import { concatBytes, equalBytes, fromHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { CONFIGURATION_SOURCES, type MachineClaims } from '../evidence.ts';
import { hex, integer, object, oneOf, readJson, text } from '../strict-json.ts';

const LABEL = new TextEncoder().encode('cpushare-live/claims\0');
/** Two P-256 numbers side by side (IEEE P1363). */
export const CLAIMS_SIGNATURE_BYTES = 64;
/** The only SubjectPublicKeyInfo head a session key may have: id-ecPublicKey, prime256v1, an uncompressed point. */
const P256_SPKI_HEAD = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
const COORDINATE_BYTES = 32;
const P256_SPKI_BYTES = P256_SPKI_HEAD.length + 2 * COORDINATE_BYTES;

export class ClaimsError extends CodedError<'CLAIMS_MALFORMED'> {}

const said = {
  clientVersion: text(100),
  challenge: hex(32),
  accelerator: object({ name: oneOf(['kvm', 'kqemu', 'tcg', 'unknown']), reason: text(500) }),
  cpuModel: text(200),
  memoryBytes: integer(0),
  secureBoot: oneOf([true, false, null]),
  bootMode: oneOf(['uefi', 'bios']),
  uptimeMs: integer(0),
};
const claimsShape = object(said, { configurationSource: oneOf(CONFIGURATION_SOURCES) });

/** The bytes that go into `Evidence.claims`. @throws ClaimsError when a value is not one the reader would take back */
export function encodeClaims(claims: MachineClaims): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  parseClaims(bytes);
  return bytes;
}

/** @throws ClaimsError */
export function parseClaims(bytes: Uint8Array): MachineClaims {
  try {
    return readJson(bytes, claimsShape, 'claims');
  } catch (cause) {
    throw new ClaimsError('CLAIMS_MALFORMED', 'the claims are not what a machine of ours states', { cause });
  }
}

/** What the session key signs (ECDSA P-256, SHA-256, P1363): the label keeps it from being a signature over anything else. */
export function claimsSignatureInput(claims: Uint8Array): Uint8Array {
  return concatBytes(LABEL, claims);
}

export function verifyClaimsSignature(
  signed: { claims: Uint8Array; claimsSignature: Uint8Array; sessionPublicKey: Uint8Array },
  crypto: Pick<AttestCrypto, 'verify'>,
): boolean {
  if (signed.claimsSignature.length !== CLAIMS_SIGNATURE_BYTES) return false;
  return verifyP256(signed.sessionPublicKey, claimsSignatureInput(signed.claims), signed.claimsSignature, crypto);
}

/** ECDSA P-256 with SHA-256 by the holder of `spki`; any other kind of key is no valid signer. */
export function verifyP256(
  spki: Uint8Array,
  data: Uint8Array,
  signature: Uint8Array,
  crypto: Pick<AttestCrypto, 'verify'>,
): boolean {
  const head = P256_SPKI_HEAD.length;
  if (spki.length !== P256_SPKI_BYTES || !equalBytes(spki.subarray(0, head), P256_SPKI_HEAD)) return false;
  const [x, y] = [spki.subarray(head, head + COORDINATE_BYTES), spki.subarray(head + COORDINATE_BYTES)];
  return crypto.verify({ key: { kind: 'ec', curve: 'P-256', x, y }, scheme: 'ecdsa', hash: 'sha256', data, signature });
}
