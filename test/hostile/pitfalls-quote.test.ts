/** ATTEST-PITFALLS 1 to 17: the quote. Each test attacks the verifier the way the named line says. */
import { type TpmsAttest, tpmsAttest } from 'tpm2-ts/attest';
import { decode, encode } from 'tpm2-ts/codec';
import { RH } from 'tpm2-ts/constants';
import { nodeDigest } from 'tpm2-ts/digest-node';
import { primaryQualifiedName } from 'tpm2-ts/name';
import { type TpmtSignature, tpmtSignature } from 'tpm2-ts/signature';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import type { Evidence } from '../../src/attest/evidence.ts';
import type { Policy } from '../../src/attest/policy/policy.ts';
import { qualifyingData } from '../../src/attest/quote/qualifying-data.ts';
import type { QuoteClock } from '../../src/attest/quote/quote-clock.ts';
import { earClaims } from '../../src/attest/result/ear.ts';
import { readEarClaims } from '../../src/attest/result/ear-read.ts';
import { encodeEvidence } from '../../src/protocol/evidence-document.ts';
import { encodeReport, parseReport } from '../../src/protocol/report-document.ts';
import { concatBytes, toHex } from '../../src/shared/bytes.ts';
import { loadFixture } from '../fixtures/load.ts';
import {
  ascii,
  attest,
  broker,
  brokerId,
  challenge,
  changedPublic,
  codeOf,
  evidence,
  expected,
  flip,
  judge,
  machine,
  signedStatement,
} from './made-evidence.ts';

const rsa = loadFixture('rsa2048');
const quoted = decode(tpmsAttest, evidence.quote) as Extract<TpmsAttest, { type: 'quote' }>;

describe('quote', () => {
  it('pitfall 1: a wrong magic is refused before anything behind it is read', () => {
    for (let index = 0; index < 4; index += 1) {
      expect(codeOf(judge(attest({ statement: (quote) => flip(quote, index) })))).toBe('QUOTE_MAGIC_WRONG');
    }
    const nonsense = Uint8Array.from({ length: 145 }, (_, index) => (index * 7) & 0xff);
    expect(codeOf(judge(attest({ statement: () => nonsense })))).toBe('QUOTE_MAGIC_WRONG');
  });

  const head = (({ qualifiedSigner, extraData, clockInfo, firmwareVersion }) => ({
    qualifiedSigner,
    extraData,
    clockInfo,
    firmwareVersion,
  }))(quoted);
  const digest = new Uint8Array(32);
  it.each<TpmsAttest>([
    { ...head, type: 'certify', name: quoted.qualifiedSigner, qualifiedName: quoted.qualifiedSigner },
    { ...head, type: 'creation', objectName: quoted.qualifiedSigner, creationHash: digest },
    { ...head, type: 'time', time: { time: 1n, clockInfo: quoted.clockInfo }, timeFirmwareVersion: 1n },
    { ...head, type: 'sessionAudit', exclusiveSession: true, sessionDigest: digest },
    {
      ...head,
      type: 'commandAudit',
      auditCounter: 1n,
      digestAlg: 'sha256',
      auditDigest: digest,
      commandDigest: digest,
    },
    { ...head, type: 'nv', indexName: quoted.qualifiedSigner, offset: 0, nvContents: digest },
    { ...head, type: 'nvDigest', indexName: quoted.qualifiedSigner, nvDigest: digest },
  ])('pitfall 2: a $type statement is no quote', (statement) => {
    expect(codeOf(judge(signedStatement(() => statement)))).toBe('QUOTE_TYPE_WRONG');
  });

  it('pitfall 3: a wrong signature ends the judgement: nothing behind it is read or told', () => {
    const verdict = judge({ signature: flip(evidence.signature, 20) });
    expect(verdict).toMatchObject({ status: 'refused', claims: null, image: null });
    const from = verdict.checks.findIndex((check) => check.name === 'quote-signature');
    expect(verdict.checks[from]).toMatchObject({ status: 'failed', code: 'QUOTE_SIGNATURE_INVALID' });
    expect(verdict.checks.slice(from + 1).every((check) => check.status === 'not-reached')).toBe(true);
  });

  it('pitfall 4: a quote over no register, or over fewer than the policy names', () => {
    const all = expected.policy.pcrs;
    for (const quotedPcrs of [[], [0], all.slice(1), all.slice(0, -1), all.filter((pcr) => pcr !== 8)]) {
      expect(codeOf(judge(attest({ quoted: quotedPcrs })))).toBe('QUOTE_SELECTION_WRONG');
    }
    expect(codeOf(judge(signedStatement((quote) => ({ ...quote, pcrSelect: [] }))))).toBe('QUOTE_SELECTION_WRONG');
  });

  const all = [...expected.policy.pcrs];
  it.each([
    { name: 'another bank', pcrSelect: [{ hash: 'sha1', pcrs: all }] },
    { name: 'the bank twice', pcrSelect: [0, 1].map(() => ({ hash: 'sha256' as const, pcrs: all })) },
    {
      name: 'the set split in two',
      pcrSelect: [
        { hash: 'sha256', pcrs: all.slice(0, 8) },
        { hash: 'sha256', pcrs: all.slice(8) },
      ],
    },
    { name: 'a resettable register for a static one', pcrSelect: [{ hash: 'sha256', pcrs: [...all.slice(1), 23] }] },
    { name: 'registers 16 and 23 more', pcrSelect: [{ hash: 'sha256', pcrs: [...all, 16, 23] }] },
    {
      name: 'a second bank',
      pcrSelect: [
        { hash: 'sha256', pcrs: all },
        { hash: 'sha1', pcrs: all },
      ],
    },
    {
      name: 'a second bank in front',
      pcrSelect: [
        { hash: 'sha1', pcrs: [] },
        { hash: 'sha256', pcrs: all },
      ],
    },
  ] as const)('pitfall 5: a selection with $name is not the one asked for', ({ pcrSelect }) => {
    expect(codeOf(judge(signedStatement((quote) => ({ ...quote, pcrSelect }))))).toBe('QUOTE_SELECTION_WRONG');
  });

  it('pitfall 6: register values split at other widths hash the same and are refused', () => {
    const values = evidence.pcrs.sha256 ?? {};
    const both = concatBytes(values[0] ?? ascii(''), values[1] ?? ascii(''));
    for (const cut of [0, 1, 31, 33, 63, 64]) {
      const pcrs = { sha256: { ...values, 0: both.slice(0, cut), 1: both.slice(cut) } };
      expect(toHex(crypto.hash('sha256', concatBytes(...Object.values(pcrs.sha256))))).toBe(toHex(quoted.pcrDigest));
      expect(codeOf(judge({ pcrs }))).toBe('PCR_VALUES_MALFORMED');
    }
  });

  it('pitfall 7: 5000 selections are refused by their count, and unsigned ones before they are read', () => {
    const one = Uint8Array.of(0, 0x0b, 3, 0xff, 0xff, 0);
    const rest = encode(tpmsAttest, quoted);
    const at = rest.length - 34 - 10; // the list: count 4, one selection 6; then the digest with its size
    const long = concatBytes(
      rest.subarray(0, at),
      Uint8Array.of(0, 0, 0x13, 0x88),
      ...Array.from({ length: 5000 }, () => one),
      rest.subarray(-34),
    );
    expect(codeOf(judge(attest({ statement: () => long })))).toBe('QUOTE_MALFORMED');
    expect(codeOf(judge({ quote: long }))).toBe('QUOTE_SIGNATURE_INVALID');
  });

  it('pitfall 8: there is one quote, and only its registers are taken: no second one can be handed over', () => {
    const activation = machine.transcript(broker);
    const machineId = toHex(crypto.hash('sha256', ascii('machine')));
    const receivedAt = '2026-11-21T04:00:00.000Z';
    const document = encodeReport({ machineId, brokerId, challenge, receivedAt, evidence, activation }, judge());
    expect(encodeEvidence(parseReport(JSON.stringify(document)).evidence)).toEqual(document.evidence);
    for (const extra of ['quotes', 'quote2', 'pcrValues']) {
      const doubled = { ...document, evidence: { ...document.evidence, [extra]: document.evidence.quote } };
      expect(() => parseReport(JSON.stringify(doubled))).toThrow(expect.objectContaining({ code: 'REPORT_MALFORMED' }));
    }
    const other = attest({ quoted: [16] });
    expect(codeOf(judge({ pcrs: { ...evidence.pcrs, sha1: other.pcrs.sha256 ?? {} } }))).toBe('PCR_VALUES_MALFORMED');
    expect(codeOf(judge({ quote: other.quote }))).toBe('QUOTE_SIGNATURE_INVALID');
  });

  it('pitfall 9: scheme and padding come from key and signature, which must agree; nothing is tried out', () => {
    const signature = decode(tpmtSignature, rsa.report.evidence.signature);
    if (signature.algorithm !== 'rsassa') throw new Error('recorded as RSASSA');
    const judgeRsa = (changed: TpmtSignature): string =>
      codeOf(judge({ ...rsa.report.evidence, signature: encode(tpmtSignature, changed) }, rsa.expected()));
    expect(judgeRsa(signature)).toBe('accepted');
    expect(judgeRsa({ ...signature, algorithm: 'rsapss' })).toBe('SIGNATURE_SCHEME_MISMATCH');
    const open = changedPublic(evidence.akPublic, (ak) => ({ ...ak, scheme: { algorithm: 'null' } }) as typeof ak);
    expect(codeOf(judge({ akPublic: open }))).toBe('AK_ATTRIBUTES_UNSAFE');
    const pss = changedPublic(rsa.report.evidence.akPublic, (ak) =>
      ak.type === 'rsa' ? { ...ak, scheme: { algorithm: 'rsapss', hash: 'sha256' } } : ak,
    );
    expect(codeOf(judge({ ...rsa.report.evidence, akPublic: pss }, rsa.expected()))).not.toBe('accepted');
  });

  it('pitfall 10: the hash of the signature and the bank of the registers are two things, both fixed', () => {
    const signature = decode(tpmtSignature, evidence.signature);
    for (const hash of ['sha1', 'sha384', 'sha512'] as const) {
      const changed = encode(tpmtSignature, { ...signature, hash } as TpmtSignature);
      expect(codeOf(judge({ signature: changed }))).toBe('SIGNATURE_SCHEME_MISMATCH');
      const weak = changedPublic(evidence.akPublic, (ak) =>
        ak.type === 'ecc' ? { ...ak, scheme: { algorithm: 'ecdsa', hash } } : ak,
      );
      expect(codeOf(judge({ akPublic: weak }))).toBe('AK_ATTRIBUTES_UNSAFE');
      const pcrSelect = [{ hash, pcrs: all }];
      expect(codeOf(judge(signedStatement((quote) => ({ ...quote, pcrSelect }))))).toBe('QUOTE_SELECTION_WRONG');
    }
  });

  const { claims, sessionPublicKey } = evidence;
  const bound = qualifyingData({ challenge, sessionPublicKey, role: 'seller', brokerId, claims }, crypto);
  it.each([
    { name: 'missing', extraData: new Uint8Array() },
    { name: 'shorter by one', extraData: bound.slice(0, -1) },
    { name: 'a prefix of it', extraData: bound.slice(0, 16) },
    { name: 'longer by a zero', extraData: concatBytes(bound, Uint8Array.of(0)) },
    { name: 'behind a zero', extraData: concatBytes(Uint8Array.of(0), bound) },
    { name: 'in hex', extraData: ascii(toHex(bound)) },
    { name: 'in base64', extraData: ascii(Buffer.from(bound).toString('base64')) },
    { name: 'the bare challenge', extraData: challenge },
  ])('pitfall 11: qualifying data that is $name', ({ extraData }) => {
    expect(codeOf(judge(signedStatement((quote) => ({ ...quote, extraData }))))).toBe('BINDING_MISMATCH');
  });

  it('pitfall 12: whatever is bound, the TPM gets 32 bytes; a challenge has exactly 32', () => {
    for (const length of [91, 294, 5000]) {
      const binding = {
        challenge,
        sessionPublicKey: new Uint8Array(length),
        role: 'seller',
        brokerId,
        claims,
      } as const;
      expect(qualifyingData(binding, crypto)).toHaveLength(32);
    }
    for (const length of [0, 16, 31, 33, 64]) {
      const short = new Uint8Array(length).fill(7);
      expect(() => judge({}, { challenge: short })).toThrow(expect.objectContaining({ code: 'EXPECTED_INVALID' }));
      const binding = { challenge: short, sessionPublicKey, role: 'seller', brokerId, claims } as const;
      expect(() => qualifyingData(binding, crypto)).toThrow(expect.objectContaining({ code: 'QUALIFYING_DATA_FIELD' }));
    }
  });

  it('pitfall 13: trailing bytes behind statement, signature and keys', () => {
    const longer = (bytes: Uint8Array): Uint8Array => concatBytes(bytes, Uint8Array.of(0));
    expect(codeOf(judge(attest({ statement: longer })))).toBe('QUOTE_TRAILING_BYTES');
    expect(codeOf(judge({ signature: longer(evidence.signature) }))).toBe('SIGNATURE_TRAILING_BYTES');
    expect(codeOf(judge({ akPublic: longer(evidence.akPublic) }))).toBe('AK_PUBLIC_MALFORMED');
    expect(codeOf(judge({ ekPublic: longer(evidence.ekPublic) }))).toBe('EK_PUBLIC_MALFORMED');
  });

  it('pitfall 14: a length field of any two bytes ends in a code; so does a signature of another kind of key', () => {
    for (const field of ['quote', 'signature', 'akPublic', 'ekPublic'] as const) {
      for (let at = 0; at + 1 < evidence[field].length; at += 1) {
        for (const [high, low] of [
          [0xff, 0xff],
          [0xff, 0xfe],
          [0x7f, 0xff],
          [0x80, 0x00],
          [0x00, 0x00],
        ] as const) {
          const bytes = Uint8Array.from(evidence[field]);
          if (bytes[at] === high && bytes[at + 1] === low) continue;
          bytes.set([high, low], at);
          const changed = field === 'quote' ? attest({ statement: () => bytes }) : { [field]: bytes };
          const verdict = judge(changed);
          // a forger who signs may state any clock and firmware version; no other byte pair passes
          if (verdict.status === 'accepted')
            expect(field === 'quote' && at >= 75 && at <= 100, `${field} ${at}: ${high} ${low}`).toBe(true);
          else expect(codeOf(verdict)).toMatch(/^[A-Z_]+$/);
        }
      }
    }
    const rsaSignature = rsa.report.evidence.signature;
    expect(codeOf(judge({ signature: rsaSignature }))).toBe('SIGNATURE_SCHEME_MISMATCH');
    expect(codeOf(judge({ ...rsa.report.evidence, signature: evidence.signature }, rsa.expected()))).toBe(
      'SIGNATURE_SCHEME_MISMATCH',
    );
    const huge = encode(tpmtSignature, {
      algorithm: 'ecdsa',
      hash: 'sha256',
      r: new Uint8Array(48).fill(1),
      s: new Uint8Array(48).fill(1),
    });
    expect(codeOf(judge({ signature: huge }))).toBe('QUOTE_SIGNATURE_INVALID');
  });

  it('pitfall 15: the clock is signed: it cannot be set back, a safe flag is 0 or 1, and an old quote answers nothing', () => {
    const clockAt = evidence.quote.length - 34 - 10 - 8 - 17;
    for (let at = clockAt; at < clockAt + 17 + 8; at += 1) {
      expect(codeOf(judge({ quote: flip(evidence.quote, at) }))).toBe('QUOTE_SIGNATURE_INVALID');
    }
    const neither = attest({ statement: (quote) => quote.map((byte, at) => (at === clockAt + 16 ? 7 : byte)) });
    expect(codeOf(judge(neither))).toBe('QUOTE_MALFORMED');
    const before = attest({ challenge: new Uint8Array(32).fill(6) });
    expect(codeOf(judge(before))).toBe('CHALLENGE_MISMATCH');
    expect(codeOf(judge({ quote: before.quote, signature: before.signature }))).toBe('BINDING_MISMATCH');
  });

  it('pitfall 15: a genuine TPM whose state or firmware was put back is refused, and only by the last clock handed over', () => {
    const quotedAt = (clock: bigint, resetCount: number, more: Partial<TpmsAttest['clockInfo']> = {}, firmware = 5n) =>
      attest({ clock: { clock, resetCount, ...more }, firmwareVersion: firmware });
    const lastClock = judge(quotedAt(1_000_000n, 7, { restartCount: 2 })).clock;
    expect(lastClock).toMatchObject({ clockMs: '1000000', resetCount: 7, restartCount: 2, obfuscated: false });
    const since = (later: Evidence) => codeOf(judge(later, { lastClock }));

    // A snapshot put back, plainly; started again until its resets are as many or more; cleared; with old firmware.
    const restored = quotedAt(400_000n, 5);
    expect(since(restored)).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(since(quotedAt(400_000n, 7, { restartCount: 9 }))).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(since(quotedAt(400_000n, 99))).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(since(quotedAt(9_000_000n, 6))).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(since(quotedAt(0n, 0))).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(since(quotedAt(2_000_000n, 7, { restartCount: 1 }))).toBe('QUOTE_CLOCK_BACKWARDS');
    expect(since(quotedAt(2_000_000n, 8, {}, 4n))).toBe('TPM_FIRMWARE_ROLLED_BACK');
    // Each of them is genuine: without the last clock, nothing speaks against it, and the verdict says that none was known.
    const unknowing = judge(restored);
    expect(unknowing.status).toBe('accepted');
    expect(unknowing.checks.find(({ name }) => name === 'quote-clock')?.sentence).toContain('No earlier clock');

    // What a machine does in a year passes: sleep, restart (resumes begin again), a power cut, an update.
    expect(since(quotedAt(1_000_001n, 7, { restartCount: 3 }))).toBe('accepted');
    expect(since(quotedAt(1_000_001n, 8, { restartCount: 0 }))).toBe('accepted');
    expect(since(quotedAt(900_000n, 8, { safe: false }))).toBe('accepted');
    expect(since(quotedAt(1_000_001n, 8, {}, 6n))).toBe('accepted');

    // The policy decides, each rule by itself, and only once the signature is proven.
    const policyWith = (clock: Partial<Policy['clock']>): Policy => ({
      ...expected.policy,
      clock: { ...expected.policy.clock, ...clock },
    });
    const unsafe = quotedAt(1_000_001n, 8, { safe: false });
    expect(codeOf(judge(unsafe, { lastClock, policy: policyWith({ unsafe: 'refuse' }) }))).toBe('QUOTE_CLOCK_UNSAFE');
    expect(codeOf(judge(restored, { lastClock, policy: policyWith({ backwards: 'accept' }) }))).toBe('accepted');
    const forged = judge({ ...restored, signature: flip(restored.signature, 20) }, { lastClock });
    expect(codeOf(forged)).toBe('QUOTE_SIGNATURE_INVALID');
    expect(forged.clock).toBeNull();

    // A refusal ends the judgement, and a last clock that is none judges nobody.
    const refused = judge(restored, { lastClock });
    expect(refused.checks.at(-1)?.status).toBe('not-reached');
    expect(refused.clock).toMatchObject({ clockMs: '400000' });
    const broken = { ...(lastClock as QuoteClock), clockMs: '0x10' };
    expect(() => judge({}, { lastClock: broken })).toThrow(expect.objectContaining({ code: 'EXPECTED_INVALID' }));
  });

  it('pitfall 15: an AK of the owner, whose counts its TPM obfuscates, does not hide a clock that went back', () => {
    const owners = (clock: bigint, resetCount: number) =>
      signedStatement((quote) => ({
        ...quote,
        qualifiedSigner: primaryQualifiedName(evidence.akPublic, nodeDigest, RH.owner),
        clockInfo: { clock, resetCount, restartCount: 77, safe: false },
      }));
    const lastClock = judge(attest({ clock: { clock: 1_000_000n, resetCount: 7 } })).clock;
    expect(judge(owners(1_000_001n, 3), { lastClock })).toMatchObject({
      status: 'accepted',
      clock: { obfuscated: true },
    });
    expect(codeOf(judge(owners(999_999n, 4_000_000_000), { lastClock }))).toBe('QUOTE_CLOCK_BACKWARDS');
  });

  it('pitfall 16: a qualified signer that is not this AK', () => {
    const other = attest({}).akPublic;
    for (const qualifiedSigner of [
      new Uint8Array(),
      quoted.qualifiedSigner.slice(0, -1),
      flip(quoted.qualifiedSigner, 33),
      concatBytes(Uint8Array.of(0, 0x0b), crypto.hash('sha256', other)),
    ]) {
      const verdict = judge(signedStatement((quote) => ({ ...quote, qualifiedSigner })));
      expect(codeOf(verdict)).toBe('QUOTE_SIGNER_MISMATCH');
    }
  });
});

describe('result', () => {
  it('pitfall 17: a result says until when it holds, and is worth nothing afterwards', () => {
    const issuedAt = new Date('2026-11-21T05:00:00Z');
    const expiresAt = new Date('2026-11-21T06:00:00Z');
    const claims = earClaims(judge(), {
      verifier: { developer: 'cpushare-live', build: 'test' },
      issuedAt,
      expiresAt,
      challenge,
      machineId: 'ab'.repeat(32),
      referenceIds: [],
      policyId: 'policy',
      sessionKeySha256: 'cd'.repeat(32),
    });
    expect(claims.exp).toBe(expiresAt.getTime() / 1000);
    const at = (time: Date, changed: object = claims) => readEarClaims(JSON.parse(JSON.stringify(changed)), { time });
    expect(at(issuedAt).expiresAt).toEqual(expiresAt);
    expect(() => at(new Date('2026-11-21T07:00:00Z'))).toThrow(expect.objectContaining({ code: 'EAR_EXPIRED' }));
    const { exp: _, ...endless } = claims;
    expect(() => at(issuedAt, endless)).toThrow(expect.objectContaining({ code: 'EAR_EXPIRY_MISSING' }));
  });
});
