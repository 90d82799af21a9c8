/** Verdicts of real appraisals for tests of what is made from a verdict: one machine, its boots, one verifier. */
import { appraise } from '../appraise.ts';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import type { Evidence } from '../evidence.ts';
import type { Expected } from '../expected.ts';
import { demoPolicyAcceptingSoftwareTpm } from '../policy/policies.ts';
import type { Verdict } from '../verdict.ts';
import { newMachine } from './attester-node.ts';
import { type Boot, GOOD_BOOT, referenceValuesOf } from './boot-node.ts';

export const challenge = new Uint8Array(32).fill(7);
export const brokerId = new Uint8Array(32).fill(9);
export const machine = newMachine();
export const expected: Expected = {
  challenge,
  brokerId,
  activation: machine.activation,
  referenceValues: [referenceValuesOf(GOOD_BOOT)],
  trustAnchors: [machine.authority.certificate],
  extraCertificates: [],
  revocationLists: [],
  policy: demoPolicyAcceptingSoftwareTpm,
  time: new Date('2026-11-21T05:00:00Z'),
};

export function evidenceOf(boot: Partial<Boot> = {}): Evidence {
  return machine.attest({ challenge, brokerId, boot: { ...GOOD_BOOT, ...boot } });
}

export interface VerdictOptions {
  readonly boot?: Partial<Boot>;
  readonly evidence?: Partial<Evidence>;
  readonly expected?: Partial<Expected>;
}

export function verdictOf(options: VerdictOptions = {}): Verdict {
  const evidence = { ...evidenceOf(options.boot), ...options.evidence };
  return appraise(evidence, { ...expected, ...options.expected }, nodeAttestCrypto);
}
