/** ATTEST-PITFALLS 42 to 53, as far as no broker or TPM is needed: EK, AK, activation, chain, class. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../../src/attest/crypto/crypto-node.ts';
import type { TpmClass } from '../../src/attest/evidence.ts';
import type { Expected } from '../../src/attest/expected.ts';
import { policyAccepting } from '../../src/attest/policy/policies.ts';
import { TPM_CLASSES } from '../../src/attest/policy/policy.ts';
import { weaknessOf } from '../../src/attest/result/limits.ts';
import { type MachineOptions, newMachine } from '../../src/attest/testing/attester-node.ts';
import { ekCertificate, newAuthority } from '../../src/attest/testing/certificate-authority-node.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { toHex } from '../../src/shared/bytes.ts';
import {
  ascii,
  attest,
  broker,
  brokerId,
  challenge,
  codeOf,
  evidence,
  expected,
  flip,
  judge,
  machine,
} from './made-evidence.ts';

const stranger = newMachine({ authority: machine.authority });
const foreign = stranger.attest({ challenge, brokerId });
const anyClass = policyAccepting([...TPM_CLASSES]);

function judgeMachine(options: MachineOptions, changes: Partial<Expected> = {}): Verdict {
  const made = newMachine(options);
  return judge(made.attest({ challenge, brokerId }), {
    activation: made.activation,
    trustAnchors: [made.authority.certificate],
    ...changes,
  });
}

const classOf = (certificate: Uint8Array, stated: TpmClass) => ({
  [toHex(nodeAttestCrypto.hash('sha256', certificate))]: stated,
});

describe('EK, AK and activation', () => {
  it('pitfall 42: an AK is believed only on an activation for this EK, by this verifier or by the broker that was named', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const by = (transcript: ReturnType<typeof machine.transcript>): string =>
      codeOf(judge({}, { activation: { kind: 'transcript', transcript } }));
    expect(by(machine.transcript(broker))).toBe('accepted');
    expect(by(machine.transcript(other))).toBe('ACTIVATION_BROKER_MISMATCH');
    const good = machine.transcript(broker);
    expect(by({ ...machine.transcript(other), brokerPublicKey: good.brokerPublicKey })).toBe(
      'ACTIVATION_SIGNATURE_INVALID',
    );
    for (let at = 0; at < good.statement.length; at += 1) {
      expect(by({ ...good, statement: flip(good.statement, at) })).toBe('ACTIVATION_SIGNATURE_INVALID');
    }
    expect(by({ ...good, signature: new Uint8Array(64) })).toBe('ACTIVATION_SIGNATURE_INVALID');
    expect(by(machine.transcript(broker, '{}'))).toBe('ACTIVATION_MALFORMED');
    expect(by(stranger.transcript(broker))).toBe('ACTIVATION_AK_MISMATCH');
    expect(() => judge({}, { activation: undefined as never })).toThrow();
  });

  it.each(['restricted', 'fixedTpm', 'fixedParent', 'sensitiveDataOrigin'] as const)(
    'pitfall 43: an AK without %s could sign or move what it likes',
    (attribute) => {
      expect(codeOf(judgeMachine({ akAttributes: { [attribute]: false } }))).toBe('AK_ATTRIBUTES_UNSAFE');
    },
  );
  it('pitfall 43: an AK that also decrypts', () => {
    expect(codeOf(judgeMachine({ akAttributes: { decrypt: true } }))).toBe('AK_ATTRIBUTES_UNSAFE');
  });

  it("pitfall 44: the guest's own AK in place of the endorsed one, its quote and claims in good order", () => {
    const { akPublic, quote, signature, sessionPublicKey, claims } = foreign;
    const replaced = { akPublic, quote, signature, sessionPublicKey, claims };
    expect(codeOf(judge(replaced))).toBe('ACTIVATION_AK_MISMATCH');
  });

  it('pitfall 45: EK public, EK certificate and activation must be of one EK', () => {
    expect(codeOf(judge({ ekPublic: foreign.ekPublic }))).toBe('ACTIVATION_EK_MISMATCH');
    expect(codeOf(judge({ ekCertificates: foreign.ekCertificates }))).toBe('EK_KEY_MISMATCH');
    const both = { ekPublic: foreign.ekPublic, ekCertificates: foreign.ekCertificates };
    expect(codeOf(judge(both))).toBe('ACTIVATION_EK_MISMATCH');
    const { ekName } = stranger.activation;
    const mixed = { ...machine.activation, ekName };
    expect(codeOf(judge({}, { activation: mixed }))).toBe('ACTIVATION_EK_MISMATCH');
  });

  const vendor = { manufacturer: 'id:49465800', model: 'SLB9670' };
  const trusted = newAuthority('Infineon OPTIGA TPM CA');
  const by = (options: MachineOptions, changes: Partial<Expected> = {}): Verdict =>
    judgeMachine(
      { authority: trusted, ...vendor, ...options },
      { policy: policyAccepting(['hardware']), anchorClasses: classOf(trusted.certificate, 'hardware'), ...changes },
    );

  it('pitfall 50: a chain holds by signatures, dates, purpose and the right to certify', () => {
    expect(by({})).toMatchObject({ status: 'accepted', tpm: { class: 'hardware' } });

    const namesake = newAuthority('Infineon OPTIGA TPM CA');
    expect(by({ authority: namesake }, { trustAnchors: [trusted.certificate] })).toMatchObject({
      status: 'refused',
      tpm: { class: 'unknown' },
    });

    const before2026 = { ...vendor, notBefore: new Date('2025-01-01T00:00:00Z') };
    const early = { time: new Date('2025-06-01T00:00:00Z') }; // the authority is valid from 2026
    const leafOnly = (subject: Parameters<typeof ekCertificate>[2]): MachineOptions => ({
      certificates: (ek) => [ekCertificate(trusted, ek, subject)],
    });
    expect(codeOf(by(leafOnly(before2026), early))).toBe('EK_CERTIFICATE_EXPIRED');
    expect(codeOf(by(leafOnly({ ...vendor, notAfter: new Date('2026-02-01T00:00:00Z') })))).toBe(
      'EK_CERTIFICATE_EXPIRED',
    );
    expect(codeOf(by(leafOnly({ ...vendor, usage: '1.3.6.1.5.5.7.3.1' })))).toBe('EK_CERTIFICATE_PURPOSE');
    expect(codeOf(by({ certificates: () => [trusted.certificate] }))).toBe('EK_KEY_MISMATCH');

    // the issuer is itself an EK certificate of that vendor: CA:false
    const leafKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const leafSpki = new Uint8Array(leafKey.publicKey.export({ format: 'der', type: 'spki' }));
    const leaf = ekCertificate(trusted, leafSpki, vendor);
    const posing = { name: 'unknown', certificate: leaf, privateKey: leafKey.privateKey };
    const chain: MachineOptions = { certificates: (ek) => [ekCertificate(posing, ek, vendor), leaf] };
    expect(by(chain).status).toBe('refused');
    expect(by(chain).tpm.class).toBe('unknown');
  });

  it('pitfall 51: certificates without end, in circles or as garbage end in a verdict', () => {
    const a = newAuthority('A', newAuthority('B'));
    const b = newAuthority('B', newAuthority('A'));
    const circle = { certificates: (ek: Uint8Array) => [ekCertificate(a, ek, vendor), a.certificate, b.certificate] };
    expect(by(circle, { trustAnchors: [trusted.certificate] }).status).toBe('refused');
    let issuer = trusted;
    const long = Array.from({ length: 30 }, (_, index) => {
      issuer = newAuthority(`CA ${index}`, issuer);
      return issuer.certificate;
    });
    const endless = { certificates: (ek: Uint8Array) => [ekCertificate(issuer, ek, vendor), ...long] };
    expect(by(endless).status).toBe('refused');
    for (const bytes of [new Uint8Array(), ascii('-----BEGIN CERTIFICATE-----'), new Uint8Array(8192).fill(0x30)]) {
      expect(codeOf(by({ certificates: () => [bytes] }))).toBe('EK_CERTIFICATE_MALFORMED');
    }
  });

  it('pitfall 52: without trust anchors every TPM is of class unknown, and unknown is accepted only where it is named', () => {
    for (const accepted of TPM_CLASSES) {
      const verdict = judge({}, { trustAnchors: [], policy: policyAccepting([accepted]) });
      expect(verdict.tpm.class).toBe('unknown');
      expect(verdict.status).toBe(accepted === 'unknown' ? 'accepted' : 'refused');
      const bare = judgeMachine({ certificates: () => [] }, { policy: policyAccepting([accepted]) });
      expect(bare.status).toBe(accepted === 'unknown' ? 'accepted' : 'refused');
    }
  });

  it.each([
    { name: 'swtpm', authority: 'swtpm-localca', manufacturer: 'id:00001014' },
    { name: "swtpm's authority naming Infineon", authority: 'swtpm-localca', manufacturer: 'id:49465800' },
    { name: 'Infineon naming IBM', authority: 'Infineon OPTIGA TPM CA', manufacturer: 'id:00001014' },
    { name: 'Infineon naming AMD', authority: 'Infineon OPTIGA TPM CA', manufacturer: 'id:414D4400' },
    { name: 'an unheard-of vendor', authority: 'Infineon OPTIGA TPM CA', manufacturer: 'id:58585858' },
  ])('pitfall 53: $name is never taken for hardware; its class is said', ({ authority, manufacturer }) => {
    const made = { authority: newAuthority(authority), manufacturer };
    const { tpm, limits } = judgeMachine(made, { policy: anyClass });
    expect(['software', 'unknown']).toContain(tpm.class);
    // not even by who names its authority one for hardware, where the certificate itself knows better
    const named = { policy: anyClass, anchorClasses: classOf(made.authority.certificate, 'hardware') };
    const handNamed = judgeMachine(made, named).tpm.class;
    if (authority.startsWith('swtpm') || manufacturer !== 'id:58585858') expect(handNamed).not.toBe('hardware');
    expect(limits.join(' ')).toContain(weaknessOf(tpm.class));
    expect(codeOf(judgeMachine(made, { policy: policyAccepting(['hardware', 'firmware', 'cloud']) }))).toBe(
      'TPM_CLASS_NOT_ACCEPTED',
    );
  });

  it('judges the same evidence the same without what these tests changed', () => {
    expect(codeOf(judge(attest({})))).toBe('accepted');
    expect(expected.trustAnchors).toHaveLength(1);
    expect(evidence.ekCertificates).toHaveLength(1);
  });
});
