/** A genuine machine of src/attest/testing and its verifier, for tests that change one thing at a time. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type TpmsAttest, tpmsAttest } from 'tpm2-ts/attest';
import { decode, encode } from 'tpm2-ts/codec';
import { type TpmtPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { appraise } from '../../src/attest/appraise.ts';
import { nodeAttestCrypto } from '../../src/attest/crypto/crypto-node.ts';
import type { Evidence } from '../../src/attest/evidence.ts';
import type { Expected } from '../../src/attest/expected.ts';
import { demoPolicyAcceptingSoftwareTpm } from '../../src/attest/policy/policies.ts';
import { type AttestRequest, newMachine } from '../../src/attest/testing/attester-node.ts';
import { GOOD_BOOT, referenceValuesOf } from '../../src/attest/testing/boot-node.ts';
import type { WrittenEvent } from '../../src/attest/testing/event-log-writer.ts';
import type { Check, Verdict } from '../../src/attest/verdict.ts';

export const challenge = new Uint8Array(32).fill(7);
export const broker = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const brokerId = idOf(broker);
export const machine = newMachine();
export const evidence = machine.attest({ challenge, brokerId });
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

export function idOf(key: KeyObject): Uint8Array {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return new Uint8Array(createHash('sha256').update(spki).digest());
}

export function judge(changes: Partial<Evidence> = {}, expectations: Partial<Expected> = {}): Verdict {
  return appraise({ ...evidence, ...changes }, { ...expected, ...expectations }, nodeAttestCrypto);
}

export function attest(request: Partial<AttestRequest>): Evidence {
  return machine.attest({ challenge, brokerId, ...request });
}

/** Evidence whose quote states something else, signed by the true AK: what a forger with an unrestricted key could do. */
export function signedStatement(change: (quote: Extract<TpmsAttest, { type: 'quote' }>) => TpmsAttest): Evidence {
  return attest({
    statement: (bytes) => {
      const quote = decode(tpmsAttest, bytes);
      if (quote.type !== 'quote') throw new Error('the machine makes quotes');
      return encode(tpmsAttest, change(quote));
    },
  });
}

/** Evidence of a boot with these events, and registers that follow them. */
export function booted(events: readonly WrittenEvent[]): Evidence {
  return attest({ events });
}

export function changedPublic(bytes: Uint8Array, change: (area: TpmtPublic) => TpmtPublic): Uint8Array {
  return encode(tpmtPublic, change(decode(tpmtPublic, bytes)));
}

export function failure(verdict: Verdict): Check | undefined {
  return verdict.checks.find((check) => check.status === 'failed');
}

/** The code of the first failed check; 'accepted' where there is none. */
export function codeOf(verdict: Verdict): string {
  return verdict.status === 'accepted' ? 'accepted' : (failure(verdict)?.code ?? 'refused without a code');
}

export function flip(bytes: Uint8Array, index: number, mask = 1): Uint8Array {
  return Uint8Array.from(bytes, (byte, at) => (at === index ? byte ^ mask : byte));
}

export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
