/** The broker's signed word on what it judged: one result (EAR) for each verdict, under the key of its identity. */
import { createPublicKey } from 'node:crypto';
import type { JWK } from 'jose';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import type { Evidence } from '../attest/evidence.ts';
import type { Standing } from '../attest/expected.ts';
import { type EarContext, earClaims } from '../attest/result/ear.ts';
import { publicEarKey, signEar } from '../attest/result/ear-jose.ts';
import type { Verdict } from '../attest/verdict.ts';
import type { BrokerKeys } from '../protocol/messages.ts';
import { type StatedStanding, stateStanding } from '../protocol/report-judgement.ts';
import { toHex } from '../shared/bytes.ts';
import type { BrokerIdentity } from './identity.ts';

/**
 * How long a result is good, from the moment of judgement, whenever it is fetched: twice the pause until an accepted
 * machine quotes again, so that one missed quote does not end a lease and two do.
 */
export const RESULT_LIFETIME_MS = 1_200_000;

export interface Results extends StatedStanding {
  /** The signing key as it is published. */
  readonly keys: BrokerKeys;
  /** Compact JWS. */
  readonly sign: (verdict: Verdict, judged: Judged) => Promise<string>;
}

export interface Judged {
  readonly machineId: string;
  readonly challenge: Uint8Array;
  readonly evidence: Evidence;
  readonly time: Date;
}

export async function createResults(
  identity: Pick<BrokerIdentity, 'privateKey'>,
  standing: Standing,
  version: string,
): Promise<Results> {
  const stated = stateStanding(standing, nodeAttestCrypto);
  const { privateKey } = identity;
  const publicJwk = await publicEarKey(createPublicKey(privateKey).export({ format: 'jwk' }) as JWK);
  const keyId = String(publicJwk.kid);
  return {
    ...stated,
    keys: { keys: [publicJwk as BrokerKeys['keys'][number]] },
    sign: (verdict, { machineId, challenge, evidence, time }) => {
      const context: EarContext = {
        verifier: { developer: 'cpushare-live', build: `cpushare-broker ${version}` },
        issuedAt: time,
        expiresAt: new Date(time.getTime() + RESULT_LIFETIME_MS),
        challenge,
        machineId,
        referenceIds: stated.referenceIds,
        policyId: stated.policyId,
        sessionKeySha256: toHex(nodeAttestCrypto.hash('sha256', evidence.sessionPublicKey)),
      };
      return signEar(earClaims(verdict, context), { privateKey, keyId });
    },
  };
}
