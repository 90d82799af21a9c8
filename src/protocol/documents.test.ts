import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNJUDGED_TPM } from '../attest/endorsement/ek.ts';
import type { Evidence } from '../attest/evidence.ts';
import { newMachine } from '../attest/testing/attester-node.ts';
import type { Verdict } from '../attest/verdict.ts';
import { decodeEvidence, encodeEvidence } from './evidence-document.ts';
import { encodeReport, parseReport, type Report, type StatedJudgement } from './report-document.ts';

const brokerId = new Uint8Array(32).fill(2);
const challenge = new Uint8Array(32).fill(1);
const machine = newMachine();
const attested = machine.attest({ challenge, brokerId });
/** Registers as plain bytes: node:crypto hands out Buffers, which toEqual tells apart. */
const registers = Object.entries(attested.pcrs.sha256 ?? {}).map(([index, value]) => [index, Uint8Array.from(value)]);
const evidence: Evidence = { ...attested, pcrs: { sha256: Object.fromEntries(registers) } };
const report: Report = {
  machineId: 'ab'.repeat(32),
  brokerId,
  challenge,
  receivedAt: '2026-11-21T04:00:00.000Z',
  evidence,
  activation: machine.transcript(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
};
const verdict: Verdict = {
  status: 'refused',
  checks: [],
  tpm: { ...UNJUDGED_TPM, evidence: '' },
  image: null,
  pcrs: [],
  claims: null,
  banks: [],
  firmware: null,
  workarounds: [],
  clock: null,
  limits: [],
};
const judgement: StatedJudgement = {
  time: report.receivedAt,
  policy: { any: 'thing' },
  policyId: 'ni:///sha-256;x',
  referenceIds: ['cd'.repeat(32)],
  referenceValues: [{ any: 'thing' }],
  certificates: [new Uint8Array([0x30, 0])],
  limits: ['It is a statement.'],
};
const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('evidence document', () => {
  it('round-trips through JSON', () => {
    expect(decodeEvidence(throughJson(encodeEvidence(evidence)))).toEqual(evidence);
  });

  it('round-trips whatever bytes the fields hold', () => {
    const fields = ['quote', 'signature', 'eventLog', 'imaLog', 'configuration', 'claims'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.uint8Array({ maxLength: 60 }), (field, bytes) => {
        const changed: Evidence = { ...evidence, [field]: bytes };
        expect(decodeEvidence(throughJson(encodeEvidence(changed)))).toEqual(changed);
      }),
    );
  });

  const good = encodeEvidence(evidence);
  it.each([
    { name: 'an unknown key', change: { note: 'x' } },
    { name: 'another version', change: { version: 1 } },
    { name: 'base64 with white space', change: { quote: `${good.quote.slice(0, 4)}\n${good.quote.slice(4)}` } },
    { name: 'base64 with spare bits', change: { quote: 'AB==' } },
    { name: 'URL-safe base64', change: { quote: '-_-_' } },
    { name: 'no quote', change: { quote: undefined } },
    { name: 'a quote larger than any', change: { quote: 'A'.repeat(4000) } },
    { name: 'register 24', change: { pcrs: { sha256: { 24: '00'.repeat(32) } } } },
    { name: 'a register as __proto__', change: { pcrs: JSON.parse('{"__proto__":{"0":"00"}}') } },
    { name: 'upper-case hex', change: { pcrs: { sha256: { 0: 'AB'.repeat(32) } } } },
    { name: 'nine certificates', change: { ekCertificates: Array(9).fill('') } },
  ])('refuses $name', ({ change }) => {
    expect(() => decodeEvidence({ ...good, ...change })).toThrow(
      expect.objectContaining({ code: 'EVIDENCE_MALFORMED' }),
    );
  });

  it.each([null, 1, 'text', [], {}])('refuses %j', (value) => {
    expect(() => decodeEvidence(value)).toThrow(expect.objectContaining({ code: 'EVIDENCE_MALFORMED' }));
  });
});

describe('report document', () => {
  const json = JSON.stringify(encodeReport(report, verdict));

  it("round-trips, and leaves the broker's opinion out", () => expect(parseReport(json)).toEqual(report));

  it('round-trips with what the broker judged with, as version 2', () => {
    const whole: Report = { ...report, judgement };
    const document = encodeReport(whole, verdict);
    expect(document.version).toBe(2);
    expect(parseReport(JSON.stringify(document))).toEqual(whole);
  });

  it.each([
    { name: 'a judgement in version 1', change: { version: 1 } },
    { name: 'version 2 without judgement', change: { judgement: undefined } },
    { name: 'version 3', change: { version: 3 } },
    { name: 'evidence of version 1', change: { evidence: { version: 1 } } },
    { name: 'no evidence', change: { evidence: null } },
    {
      name: 'an unknown key in the judgement',
      change: { judgement: { ...judgement, certificates: [], trusted: true } },
    },
    { name: 'a certificate that is no base64', change: { judgement: { ...judgement, certificates: ['!'] } } },
  ])('refuses $name', ({ change }) => {
    const document = { ...encodeReport({ ...report, judgement }, verdict), ...change };
    expect(() => parseReport(JSON.stringify(document))).toThrow(expect.objectContaining({ code: 'REPORT_MALFORMED' }));
  });

  it.each([
    { name: 'no JSON', text: '{' },
    { name: 'bytes that are no UTF-8', text: Uint8Array.of(0x22, 0xff, 0x22) },
    { name: 'an unknown key', text: json.replace('{', '{"extra":1,') },
    { name: 'a short challenge', text: json.replace('01'.repeat(32), '01'.repeat(31)) },
    { name: 'no evidence', text: JSON.stringify({ ...JSON.parse(json), evidence: undefined }) },
  ])('refuses $name', ({ text }) => {
    expect(() => parseReport(text)).toThrow(expect.objectContaining({ code: 'REPORT_MALFORMED' }));
  });
});
