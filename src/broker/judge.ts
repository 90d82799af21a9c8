/** The broker as verifier: what it expects of evidence, and the appraisal of src/attest on it. */
import { appraiseWith } from '../attest/appraise.ts';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import type { Standing } from '../attest/expected.ts';
import { prepare } from '../attest/prepare.ts';
import { fromHex } from '../shared/bytes.ts';
import type { Judge } from './context.ts';

/** Some kilobytes each. */
const REMEMBERED_MACHINES = 2048;

/**
 * Activation counts as witnessed: this broker ran it itself, and looked the key up before it asks.
 * @throws CodedError when there is nothing to judge with
 */
export function judgeWith(brokerId: string, standing: Standing): Judge {
  const prepared = prepare(standing, nodeAttestCrypto, REMEMBERED_MACHINES);
  return (evidence, { challenge, ekName, akName, lastClock, time }) => {
    const activation = { kind: 'witnessed', ekName, akName } as const;
    const request = { challenge, brokerId: fromHex(brokerId), activation, lastClock, time };
    return appraiseWith(evidence, prepared, request, nodeAttestCrypto);
  };
}
