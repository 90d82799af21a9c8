/** Keys that sign reference values, out of PEM files: shared by the verbs that sign and the verbs that judge. */
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import type { ReferenceValues } from '../../attest/image/reference-values.ts';
import { type ReferenceTrust, readReferenceValues, requireP256 } from '../../attest/image/signed-reference-values.ts';
import { CodedError } from '../../shared/errors.ts';
import { readPem } from '../../shared/pem.ts';
import { read } from './files.ts';

export class ReferenceKeyError extends CodedError<'REFERENCE_KEY_BAD'> {}

/** Reference values of a file, signed by one of the keys where keys are named. @throws CodedError */
export async function readReferenceFile(path: string, trust: ReferenceTrust): Promise<ReferenceValues> {
  return readReferenceValues(await read(path), trust, nodeAttestCrypto).values;
}

/** For every verb that judges: no key named means that unsigned files are believed. @throws ReferenceKeyError */
export async function readReferenceTrust(keyPaths: readonly string[]): Promise<ReferenceTrust> {
  if (keyPaths.length === 0) return 'unsigned';
  return { trustedKeys: (await Promise.all(keyPaths.map(readPublicKeys))).flat() };
}

async function readPublicKeys(path: string): Promise<Uint8Array[]> {
  const text = new TextDecoder('latin1').decode(await read(path));
  try {
    const keys = readPem(text, 'PUBLIC KEY').map(requireP256);
    if (keys.length === 0) throw new Error('there is no "BEGIN PUBLIC KEY" in it');
    return keys;
  } catch (cause) {
    throw badKey(path, 'public', cause);
  }
}

export function badKey(path: string, which: 'public' | 'private', cause: unknown): ReferenceKeyError {
  return new ReferenceKeyError('REFERENCE_KEY_BAD', `${path} holds no ${which} P-256 key in PEM form`, {
    cause,
    nextStep: 'make one: cpushare attest reference keygen --out reference-key.pem',
  });
}
