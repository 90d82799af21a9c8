/** What is told about hostile logs: explanations must neither crash nor carry a control character to a terminal. */
import { nodeAttestCrypto as crypto } from '../../attest/crypto/crypto-node.ts';
import { explain } from '../../attest/explain/explain.ts';
import { readBoot } from '../../attest/explain/read-boot.ts';
import { renderExplanation } from '../../attest/explain/render.ts';
import { parseReferenceValues } from '../../attest/image/reference-values.ts';
import { GOOD_BOOT, referenceValuesOf } from '../../attest/testing/boot-node.ts';
import { newHostileMachine } from './hostile-machine.ts';
import { filesEnding, recording } from './seeds.ts';
import { requirePrintable, type Target } from './target.ts';

export function explainTargets(): readonly Target[] {
  const { genuine } = newHostileMachine();
  const { report, referenceJson } = recording('p256');
  const against = [
    { references: [referenceValuesOf(GOOD_BOOT)], earlier: readBoot(genuine, crypto) },
    { references: [parseReferenceValues(referenceJson)], earlier: readBoot(report.evidence, crypto) },
  ];
  const seeds = [genuine.eventLog, report.evidence.eventLog, ...filesEnding('eventlog.bin', '-banks.bin')];
  const run = (eventLog: Uint8Array): void => {
    const boot = readBoot({ ...genuine, eventLog }, crypto);
    for (const each of against) {
      const explanation = explain(boot, each);
      requirePrintable(renderExplanation(explanation, { all: true }));
    }
  };
  return [{ name: 'explain', shape: 'log', seeds, maxBytes: 60_000, baseMs: 60, run }];
}
