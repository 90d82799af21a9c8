/** The whole appraisal: any field of the evidence replaced, and hostile event logs under a proper quote. */
import type { Evidence } from '../../attest/evidence.ts';
import { renderVerdict } from '../../attest/result/render.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { concatBytes, equalBytes } from '../../shared/bytes.ts';
import { newHostileMachine } from './hostile-machine.ts';
import { recording } from './seeds.ts';
import { BrokenRule, requirePrintable, type Target } from './target.ts';

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
  'ekCertificates',
] as const;

export function appraisalTargets(): readonly Target[] {
  const { genuine, quotedOver, judge: judgeOnly } = newHostileMachine();
  const judge = (evidence: Evidence): Verdict => {
    const verdict = judgeOnly(evidence);
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

  const signedLog = (eventLog: Uint8Array): void => {
    const verdict = judge(quotedOver(eventLog));
    if (verdict.status === 'accepted' && JSON.stringify(verdict.image) !== goodImage) {
      throw new BrokenRule('another image than the one of the reference values was named');
    }
  };

  const real = recording('p256').report.evidence;
  const seeds = FIELDS.map((name, index) => {
    const value = genuine[name];
    return concatBytes(Uint8Array.of(index), value instanceof Uint8Array ? value : (value[0] ?? new Uint8Array()));
  });
  const logs = [genuine.eventLog, real.eventLog];
  return [
    { name: 'appraise-field', shape: 'bytes', seeds, maxBytes: 60_000, baseMs: 40, run: field },
    { name: 'appraise-log', shape: 'log', seeds: logs, maxBytes: 60_000, baseMs: 40, run: signedLog },
  ];
}
