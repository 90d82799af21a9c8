/** The broker as verifier: what it expects of evidence, and the appraisal of src/attest on it. */
import { appraiseWith } from '../attest/appraise.ts';
import { rememberingNodeCrypto } from '../attest/crypto/crypto-node.ts';
import type { Standing } from '../attest/expected.ts';
import { prepare } from '../attest/prepare.ts';
import { fromHex } from '../shared/bytes.ts';
import type { Judge } from './context.ts';

/** Some kilobytes each. */
const REMEMBERED_MACHINES = 2048;
/** The AK's, and the key of the session. */
const KEYS_PER_MACHINE = 2;

/**
 * Activation counts as witnessed: this broker ran it itself, and looked the key up before it asks.
 * @throws CodedError when there is nothing to judge with
 */
export function judgeWith(brokerId: string, standing: Standing): Judge {
  const crypto = rememberingNodeCrypto(KEYS_PER_MACHINE * REMEMBERED_MACHINES);
  const prepared = prepare(standing, crypto, REMEMBERED_MACHINES);
  return (evidence, { challenge, ekName, akName, lastClock, time }) => {
    const activation = { kind: 'witnessed', ekName, akName } as const;
    const request = { challenge, brokerId: fromHex(brokerId), activation, lastClock, time };
    return appraiseWith(evidence, prepared, request, crypto);
  };
}
