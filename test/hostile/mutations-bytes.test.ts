/** Every byte that a TPM or a machine signed, changed one at a time: never accepted. */
import { describe, expect, it } from 'vitest';
import { appraiseWith } from '../../src/attest/appraise.ts';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import { parseEventLog } from '../../src/attest/event-log/parse.ts';
import type { Evidence } from '../../src/attest/evidence.ts';
import type { Request } from '../../src/attest/expected.ts';
import { newLedger } from '../../src/attest/ledger.ts';
import { prepare } from '../../src/attest/prepare.ts';
import { judgeKeys } from '../../src/attest/quote/keys.ts';
import { publicAreas } from '../../src/attest/quote/public-area.ts';
import { judgeQuote } from '../../src/attest/quote/quote.ts';
import { type FixtureName, loadFixture } from '../fixtures/load.ts';
import { type LogField, logFields } from './log-fields.ts';
import { expected, flip, evidence as made } from './made-evidence.ts';
import { haveVectors, type RealQuote, realQuotes } from './real-quotes.ts';
import { saysMore } from './said.ts';

const MASKS = [0x01, 0x80, 0xff];
const LONG = { timeout: 60_000 };

/** The checks of key and quote by name, as `appraise` runs them; the Name stands for the activation, which binds the AK. */
function judgeReal({ quote, signature, akPublic }: RealQuote): { passed: readonly string[]; akName: string | null } {
  const names = ['keys', 'ak-attributes', 'quote-signature', 'quote-format', 'quote-signer', 'quote-binding'];
  const ledger = newLedger([...names, 'quote-selection', 'quote-values']);
  const evidence: Evidence = { ...made, quote, signature, akPublic };
  const keys = judgeKeys(evidence, publicAreas(crypto), ledger);
  if (keys !== null) judgeQuote(evidence, expected, keys, crypto, ledger);
  const passed = ledger.checks().flatMap(({ name, status }) => (status === 'passed' ? [name] : []));
  return { passed, akName: keys?.ak.nameHex ?? null };
}

const recorded = realQuotes();

describe.skipIf(!haveVectors)(
  haveVectors ? 'quotes of real TPMs' : 'quotes of real TPMs (skipped: no vectors)',
  LONG,
  () => {
    it('are more than a handful, most of them by keys that are taken as AKs', () => {
      expect(recorded.length).toBeGreaterThanOrEqual(10);
      const signed = recorded.filter((each) => judgeReal(each).passed.includes('quote-signature'));
      expect(signed.length).toBeGreaterThanOrEqual(4);
    });

    it.each(recorded.map((each) => [each.name, each] as const))(
      '%s: no changed byte of quote, signature or AK passes',
      (_, real) => {
        const genuine = judgeReal(real);
        for (const field of ['quote', 'signature', 'akPublic'] as const) {
          for (let at = 0; at < real[field].length; at += 1) {
            for (const mask of MASKS) {
              const { passed, akName } = judgeReal({ ...real, [field]: flip(real[field], at, mask) });
              const accepted = passed.includes('quote-signature') && akName === genuine.akName;
              expect(accepted, `${field} byte ${at} mask ${mask}`).toBe(false);
            }
          }
        }
      },
    );
  },
);

describe.each(['p256', 'rsa2048'] as const)('our recording %s', LONG, (name: FixtureName) => {
  const { report, expected: expecting } = loadFixture(name);
  const { evidence } = report;
  const good = expecting();
  const prepared = prepare(good, crypto);
  const judge = (changes: Partial<Evidence>, request: Partial<Request> = {}) =>
    appraiseWith({ ...evidence, ...changes }, prepared, { ...good, ...request }, crypto);
  const status = (changes: Partial<Evidence>, request: Partial<Request> = {}): string => judge(changes, request).status;

  it.each(['quote', 'signature', 'akPublic', 'ekPublic', 'claims', 'sessionPublicKey', 'configuration'] as const)(
    'no changed byte of %s passes the whole appraisal',
    (field) => {
      for (let at = 0; at < evidence[field].length; at += 1) {
        for (const mask of field === 'quote' || field === 'signature' ? MASKS : [1 << (at % 8), 0xff]) {
          expect(status({ [field]: flip(evidence[field], at, mask) }), `byte ${at} mask ${mask}`).toBe('refused');
        }
      }
    },
  );

  it.each(['statement', 'signature', 'brokerPublicKey'] as const)(
    'nor of the %s of the activation transcript',
    (field) => {
      const bytes = report.activation[field];
      for (let at = 0; at < bytes.length; at += 1) {
        const transcript = { ...report.activation, [field]: flip(bytes, at, 1 << (at % 8)) };
        expect(status({}, { activation: { kind: 'transcript', transcript } }), `byte ${at}`).toBe('refused');
      }
    },
  );

  it('nor of any register value, the challenge or the broker id', () => {
    const values = evidence.pcrs.sha256 ?? {};
    for (const [pcr, value] of Object.entries(values)) {
      for (let at = 0; at < value.length; at += 1) {
        const pcrs = { sha256: { ...values, [pcr]: flip(value, at, 1 << (at % 8)) } };
        expect(status({ pcrs }), `register ${pcr} byte ${at}`).toBe('refused');
      }
    }
    for (let at = 0; at < 32; at += 1) {
      expect(status({}, { challenge: flip(expecting().challenge, at) })).toBe('refused');
      expect(status({}, { brokerId: flip(expecting().brokerId, at) })).toBe('refused');
    }
  });

  it('nor of the EK certificate', () => {
    const [leaf = new Uint8Array(), ...others] = evidence.ekCertificates;
    for (let at = 0; at < leaf.length; at += 1) {
      const ekCertificates = [flip(leaf, at, 1 << (at % 8)), ...others];
      expect(status({ ekCertificates }), `byte ${at}`).toBe('refused');
    }
  });

  it('nor of the IMA log up to where the quote was made', () => {
    for (let at = 0; at < evidence.imaLog.length; at += 7) {
      expect(status({ imaLog: flip(evidence.imaLog, at, 1 << (at % 8)) }), `byte ${at}`).toBe('refused');
    }
  });

  it('of the event log only bytes that no digest covers may change, and then nothing that is said changes', () => {
    const genuine = judge({});
    const fields = logFields(parseEventLog(evidence.eventLog, { padding: 'refuse' }), evidence.eventLog.length, crypto);
    const passed = new Set<LogField>();
    for (let at = 0; at < evidence.eventLog.length; at += name === 'p256' ? 7 : 61) {
      const verdict = judge({ eventLog: flip(evidence.eventLog, at, 1 << (at % 8)) });
      if (verdict.status === 'refused') continue;
      const field = fields[at] ?? 'header';
      passed.add(field);
      expect(['type', 'unproven data', 'bound data', 'header'], `byte ${at}`).toContain(field);
      expect(saysMore(verdict, genuine), `byte ${at}: ${field}`).toBeNull();
    }
    expect(passed.has('unproven data')).toBe(true);
  });
});
