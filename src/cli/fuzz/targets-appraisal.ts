/**
 * The whole appraisal on evidence of a machine whose keys we hold, so that hostile parts come properly signed: a hostile
 * event log with a quote over the registers it leads to, and any field of the evidence replaced.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode, encode } from 'tpm2-ts/codec';
import { appraiseWith } from '../../attest/appraise.ts';
import { nodeAttestCrypto as crypto } from '../../attest/crypto-node.ts';
import { parseEventLog } from '../../attest/event-log/parse.ts';
import { initialPcr, replayBank } from '../../attest/event-log/replay.ts';
import { ALL_WORKAROUNDS } from '../../attest/event-log/workarounds.ts';
import { type Evidence, QUOTED_PCRS } from '../../attest/evidence.ts';
import { policyAccepting } from '../../attest/policies.ts';
import { prepare } from '../../attest/prepare.ts';
import { renderVerdict } from '../../attest/render.ts';
import { newMachine } from '../../attest/testing/attester-node.ts';
import { GOOD_BOOT, referenceValuesOf } from '../../attest/testing/boot-node.ts';
import { spkiOf } from '../../attest/testing/certificate-authority-node.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { concatBytes, equalBytes } from '../../shared/bytes.ts';
import { recording } from './seeds.ts';
import { BrokenRule, type Target } from './target.ts';
import { requirePrintable } from './targets-logs.ts';

const FIELDS = [
  'quote',
  'signature',
  'eventLog',
  'imaLog',
  'configuration',
  'akPublic',
  'ekPublic',
  'sessionPublicKey',
  'claims',
  'claimsSignature',
  'ekCertificates',
] as const;

export function appraisalTargets(): readonly Target[] {
  const machine = newMachine();
  const challenge = new Uint8Array(32).fill(7);
  const broker = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const brokerId = new Uint8Array(createHash('sha256').update(spkiOf(broker)).digest());
  const genuine = machine.attest({ challenge, brokerId });
  const standing = {
    referenceValues: [referenceValuesOf(GOOD_BOOT)],
    trustAnchors: [machine.authority.certificate],
    extraCertificates: [],
    revocationLists: [],
    policy: policyAccepting(['software']),
  } as const;
  const prepared = prepare(standing, crypto);
  const request = { challenge, brokerId, activation: machine.activation, time: new Date('2026-11-21T12:00:00Z') };
  const judge = (evidence: Evidence): Verdict => {
    const verdict = appraiseWith(evidence, prepared, request, crypto);
    requirePrintable(renderVerdict(verdict));
    JSON.stringify(verdict);
    return verdict;
  };
  const goodImage = JSON.stringify(judge(genuine).image);

  /** The first byte names the field; the rest is put in its place. */
  const field = (input: Uint8Array): void => {
    const name = FIELDS[(input[0] ?? 0) % FIELDS.length] ?? 'quote';
    const bytes = input.slice(1);
    const evidence = { ...genuine, [name]: name === 'ekCertificates' ? [bytes] : bytes };
    const same = equalBytes(bytes, name === 'ekCertificates' ? (genuine[name][0] ?? bytes) : genuine[name]);
    if (judge(evidence).status !== 'accepted' || same || name === 'imaLog') return;
    if (name === 'eventLog' || name === 'ekCertificates') return; // bytes that nothing covers may differ
    throw new BrokenRule(`a changed ${name} was accepted`);
  };

  /** Quoted as a TPM that saw just these events would. */
  const signedLog = (eventLog: Uint8Array): void => {
    const values = registersAfter(eventLog, genuine);
    const pcrDigest = crypto.hash('sha256', concatBytes(...values));
    const made = machine.attest({
      challenge,
      brokerId,
      statement: (bytes) => {
        const quote = decode(tpmsAttest, bytes);
        if (quote.type !== 'quote') throw new BrokenRule('the machine makes quotes');
        return encode(tpmsAttest, { ...quote, pcrDigest });
      },
    });
    const pcrs = { sha256: Object.fromEntries(values.map((value, index) => [index, value])) };
    const verdict = judge({ ...made, eventLog, pcrs });
    if (verdict.status === 'accepted' && JSON.stringify(verdict.image) !== goodImage) {
      throw new BrokenRule('another image than the one of the reference values was named');
    }
  };

  const real = recording('p256').report.evidence;
  const seeds = FIELDS.map((name, index) => {
    const value = genuine[name];
    return concatBytes(Uint8Array.of(index), value instanceof Uint8Array ? value : (value[0] ?? new Uint8Array()));
  });
  return [
    { name: 'appraise-field', shape: 'bytes', seeds, maxBytes: 60_000, baseMs: 40, run: field },
    {
      name: 'appraise-log',
      shape: 'log',
      seeds: [genuine.eventLog, real.eventLog],
      maxBytes: 60_000,
      baseMs: 40,
      run: signedLog,
    },
  ];
}

/** Register 10 stays that of the good boot: its log is not what is changed here. */
function registersAfter(eventLog: Uint8Array, genuine: Evidence): readonly Uint8Array[] {
  const log = parseEventLog(eventLog, { padding: 'allow', workarounds: ALL_WORKAROUNDS });
  const replayed = replayBank(log, 'sha256', crypto);
  return QUOTED_PCRS.map((index) => {
    if (index === 10) return genuine.pcrs.sha256?.[10] ?? new Uint8Array(32);
    return replayed?.pcrs.get(index) ?? initialPcr(index, 'sha256', log.startupLocality);
  });
}
