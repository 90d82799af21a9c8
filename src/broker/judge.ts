/** The broker as verifier: what it expects of evidence, and the appraisal of src/attest on it. */
import { appraise } from '../attest/appraise.ts';
import { nodeAttestCrypto } from '../attest/crypto-node.ts';
import type { Expected } from '../attest/expected.ts';
import { fromHex } from '../shared/bytes.ts';
import type { Judge } from './context.ts';

type Standing = Pick<Expected, 'referenceValues' | 'trustAnchors' | 'policy'> & { readonly brokerId: string };

/** Activation counts as witnessed: this broker ran it itself, and looked the key up before it asks. */
export function judgeWith({ brokerId, referenceValues, trustAnchors, policy }: Standing): Judge {
  return (evidence, { challenge, ekName, akName, time }) =>
    appraise(
      evidence,
      {
        challenge,
        brokerId: fromHex(brokerId),
        activation: { kind: 'witnessed', ekName, akName },
        referenceValues,
        trustAnchors,
        policy,
        time,
      },
      nodeAttestCrypto,
    );
}
