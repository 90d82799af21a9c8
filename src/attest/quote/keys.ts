/** Judges the public areas: both can be read, and the AK is a key that signs only what its own TPM says. */
import type { TpmtPublic } from 'tpm2-ts/public-area';
import type { Evidence } from '../evidence.ts';
import { type Failure, type Ledger, refuse } from '../ledger.ts';
import type { PublicArea, PublicAreas } from './public-area.ts';
import { malformed } from './tpm-decoding.ts';

export interface JudgedKeys {
  readonly ak: PublicArea;
  readonly ek: PublicArea;
}

/** The public areas decode and the AK is one that signs only what its TPM made itself. Null after a failure. */
export function judgeKeys(evidence: Evidence, areas: PublicAreas, ledger: Ledger): JudgedKeys | null {
  const ek = read(evidence.ekPublic, 'EK', areas.ek);
  if ('code' in ek) return refuse(ledger, 'keys', ek);
  const ak = read(evidence.akPublic, 'AK', areas.ak);
  if ('code' in ak) return refuse(ledger, 'keys', ak);
  ledger.pass('keys', 'The public areas of EK and AK are well formed.');
  const weakness = akWeakness(ak.key);
  if (weakness !== null) {
    return refuse(ledger, 'ak-attributes', {
      code: 'AK_ATTRIBUTES_UNSAFE',
      family: 'false',
      sentence: `The AK ${weakness}, so its signature proves nothing about a TPM.`,
    });
  }
  ledger.pass('ak-attributes', 'The AK is a restricted signing key made in and bound to its TPM.');
  return { ak, ek };
}

function read(bytes: Uint8Array, what: 'EK' | 'AK', reader: (bytes: Uint8Array) => PublicArea): PublicArea | Failure {
  try {
    return reader(bytes);
  } catch (error) {
    return malformed(`${what}_PUBLIC_MALFORMED`, `The public area of the ${what} cannot be read`, error);
  }
}

function akWeakness(ak: TpmtPublic): string | null {
  const { attributes } = ak;
  for (const wanted of ['restricted', 'signEncrypt', 'fixedTpm', 'fixedParent', 'sensitiveDataOrigin'] as const) {
    if (!attributes[wanted]) return `lacks the attribute ${wanted}`;
  }
  if (attributes.decrypt) return 'also decrypts';
  if (ak.nameAlg !== 'sha256') return `has the name algorithm ${ak.nameAlg} instead of sha256`;
  if (ak.type === 'ecc' && ak.scheme.algorithm === 'ecdsa' && ak.scheme.hash === 'sha256') return null;
  if (ak.type === 'rsa' && ak.keyBits >= 2048) {
    if ((ak.scheme.algorithm === 'rsassa' || ak.scheme.algorithm === 'rsapss') && ak.scheme.hash === 'sha256')
      return null;
  }
  return 'is not fixed to ECDSA, RSASSA or RSAPSS with SHA-256';
}
