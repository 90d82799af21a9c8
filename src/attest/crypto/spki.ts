/** SubjectPublicKeyInfo to numbers, for checking signatures: RSA, and ECDSA on the curves that TPMs use. Strict DER. */

import { keyText, publicKeyOfSpki } from '../der/der-key.ts';
import type { VerificationKey } from './crypto.ts';

type PlainKey = Exclude<VerificationKey, { kind: 'spki' }>;

/** A key for signatures only: RSAES-OAEP and RSASSA-PSS identifiers are refused. @throws Error whatever does not fit */
export function readPublicKeyInfo(der: Uint8Array): PlainKey {
  const key = publicKeyOfSpki(der);
  if (key.kind === 'other' || (key.kind === 'rsa' && key.oaep)) {
    throw new Error(`no key that signatures are checked with here: ${keyText(key)}`);
  }
  return key;
}
