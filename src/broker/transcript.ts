/**
 * The broker's signed word that an AK lives in the TPM of an EK. A third party cannot repeat the credential challenge, so
 * this signature is all it will ever have: it says who vouches, for which two keys, since when.
 */
import { sign } from 'node:crypto';
import type { Static } from 'typebox';
import type { ActivationTranscript } from '../protocol/messages.ts';
import { concatBytes, toBase64 } from '../shared/bytes.ts';
import type { BrokerIdentity } from './identity.ts';

/** Keeps this signature from being read as any other signature of the same key. */
const DOMAIN = new TextEncoder().encode('cpushare-live/activation\0');

export interface ActivationFacts {
  /** Names as hex: nameAlg, then digest (Part 1 §16). */
  readonly ekName: string;
  readonly akName: string;
  /** ISO 8601, UTC. */
  readonly activatedAt: string;
}

/** ECDSA P-256 with SHA-256 in IEEE P1363 form over `DOMAIN || statement`. */
export function signActivation(
  facts: ActivationFacts,
  identity: Pick<BrokerIdentity, 'privateKey' | 'publicKey'>,
): Static<typeof ActivationTranscript> {
  const { ekName, akName, activatedAt } = facts;
  const statement = new TextEncoder().encode(JSON.stringify({ ekName, akName, activatedAt }));
  const signature = sign('sha256', concatBytes(DOMAIN, statement), {
    key: identity.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return {
    statement: toBase64(statement),
    signature: toBase64(signature),
    brokerPublicKey: toBase64(identity.publicKey),
  };
}
