/** The key that speaks for one boot of a machine: P-256, in the one spelling that SubjectPublicKeyInfo has for it. */
import { equalBytes, fromHex } from '../../shared/bytes.ts';
import type { AttestCrypto, VerificationKey } from '../crypto/crypto.ts';

/** id-ecPublicKey, prime256v1, an uncompressed point. */
const SPKI_HEAD = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
const COORDINATE_BYTES = 32;
const SPKI_BYTES = SPKI_HEAD.length + 2 * COORDINATE_BYTES;

/** Null for anything else. That the point lies on the curve is not checked: one that does not has no signatures. */
export function sessionKeyOf(spki: Uint8Array): VerificationKey | null {
  const head = SPKI_HEAD.length;
  if (spki.length !== SPKI_BYTES || !equalBytes(spki.subarray(0, head), SPKI_HEAD)) return null;
  const [x, y] = [spki.subarray(head, head + COORDINATE_BYTES), spki.subarray(head + COORDINATE_BYTES)];
  return { kind: 'ec', curve: 'P-256', x, y };
}

/** ECDSA P-256 with SHA-256 (IEEE P1363, 64 bytes) by the holder of `spki`; any other kind of key is no valid signer. */
export function verifyP256(
  spki: Uint8Array,
  data: Uint8Array,
  signature: Uint8Array,
  crypto: Pick<AttestCrypto, 'verify'>,
): boolean {
  const key = sessionKeyOf(spki);
  return key !== null && crypto.verify({ key, scheme: 'ecdsa', hash: 'sha256', data, signature });
}
