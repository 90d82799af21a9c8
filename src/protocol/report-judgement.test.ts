import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import type { Evidence } from '../attest/evidence.ts';
import { contentId, referenceId } from '../attest/result/ear-policy-id.ts';
import { newMachine } from '../attest/testing/attester-node.ts';
import { newAuthority } from '../attest/testing/certificate-authority-node.ts';
import { expected } from '../attest/testing/verdicts-node.ts';
import { statedCertificates, statedReferenceValues, stateStanding } from './report-judgement.ts';

const time = new Date('2026-11-21T05:00:00Z');
const about = { challenge: new Uint8Array(32), brokerId: new Uint8Array(32) };

describe('certificates in a report', () => {
  /** The certificate that a maker would have put into this TPM: here it was got elsewhere. */
  const made = newMachine();
  const evidence: Evidence = { ...made.attest(about), ekCertificates: [] };
  const [own = new Uint8Array()] = made.attest(about).ekCertificates;
  const stranger = newMachine({ authority: newAuthority('other-localca') });
  const [strange = new Uint8Array()] = stranger.attest(about).ekCertificates;

  const stated = (extraCertificates: Uint8Array[], given: Evidence = evidence) =>
    stateStanding({ ...expected, extraCertificates }, nodeAttestCrypto).judgementOf(given, time).certificates;

  it("are the machine's own EK certificate and what issued it, and of nobody else", () => {
    const extra = [strange, stranger.authority.certificate, own, made.authority.certificate];
    expect(stated(extra)).toEqual([own, made.authority.certificate]);
  });

  it('are the issuers of the certificate that the TPM itself holds', () => {
    const withOwn = { ...evidence, ekCertificates: [own] };
    expect(stated([strange, made.authority.certificate], withOwn)).toEqual([made.authority.certificate]);
  });

  it('are none where none is needed, and unreadable ones are left out', () => {
    expect(stated([strange, new Uint8Array([1, 2, 3])])).toEqual([]);
    expect(stated([own], { ...evidence, ekPublic: new Uint8Array([0]) })).toEqual([]);
  });
});

describe('what a broker states', () => {
  it('names policy and reference values by their content', () => {
    const first = stateStanding(expected, nodeAttestCrypto);
    const other = stateStanding(
      { ...expected, policy: { ...expected.policy, acceptedTpmClasses: ['hardware'] } },
      nodeAttestCrypto,
    );
    expect(other.referenceIds).toEqual(first.referenceIds);
    expect(other.policyId).not.toBe(first.policyId);
    const { referenceIds, referenceValues } = first.judgementOf(newMachine().attest(about), time);
    expect(referenceIds).toHaveLength(referenceValues.length);
  });
});

describe('what a verifier takes out of a report', () => {
  const judgement = stateStanding(expected, nodeAttestCrypto).judgementOf(newMachine().attest(about), time);
  const report = { judgement };
  const [values] = expected.referenceValues;
  const id = referenceId(values, nodeAttestCrypto);

  it('are reference values whose content has the id it named', () => {
    expect(judgement.referenceIds).toEqual([id]);
    expect(statedReferenceValues(report, id, nodeAttestCrypto)).toEqual(values);
  });

  it('are none that were changed and are called by the same id', () => {
    const changed = { ...values, image: { ...values.image, version: '6.6.6' } };
    const forged = { judgement: { ...judgement, referenceValues: [changed] } };
    expect(statedReferenceValues(forged, id, nodeAttestCrypto)).toBeNull();
    expect(statedReferenceValues({}, id, nodeAttestCrypto)).toBeNull();
  });

  it('are no reference values that are none, even under the right id', () => {
    const nonsense = { judgement: { ...judgement, referenceValues: ['x'] } };
    expect(() => statedReferenceValues(nonsense, contentId('x', nodeAttestCrypto), nodeAttestCrypto)).toThrow(
      expect.objectContaining({ code: 'REFERENCE_VALUES_MALFORMED' }),
    );
  });

  it('are certificates that can be read', () => {
    const [der = new Uint8Array()] = newMachine().attest(about).ekCertificates;
    const given = { judgement: { ...judgement, certificates: [new Uint8Array([1]), der] } };
    expect(statedCertificates(given)).toEqual([der]);
    expect(statedCertificates({})).toEqual([]);
  });
});
