/** Full verifications a second on one core, of the report that the last `npm start` left. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project.ts';
import { appraise } from '../../attest/appraise.ts';
import { nodeAttestCrypto } from '../../attest/crypto-node.ts';
import type { Expected } from '../../attest/expected.ts';
import { demoPolicyAcceptingSoftwareTpm } from '../../attest/policies.ts';
import { parseReferenceValues } from '../../attest/reference-values.ts';
import { parseReport } from '../../protocol/report-document.ts';
import { CodedError } from '../../shared/errors.ts';
import type { Emit } from './figure.ts';

const MEASURE_MS = 5000;

export class BenchError extends CodedError<'BENCH_NO_REPORT' | 'BENCH_REPORT_REFUSED'> {}

export async function benchAttestation(emit: Emit): Promise<void> {
  const demo = join(projectRoot, 'dist/demo');
  const text = await readFile(join(demo, 'report.json')).catch((cause: unknown) => {
    throw new BenchError('BENCH_NO_REPORT', 'there is no report to verify', { cause, nextStep: 'npm start' });
  });
  const report = parseReport(text);
  const pem = await readFile(join(demo, 'trust.pem'), 'utf8');
  const anchors = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const expected: Expected = {
    challenge: report.challenge,
    brokerId: report.brokerId,
    activation: { kind: 'transcript', transcript: report.activation },
    referenceValues: [parseReferenceValues(await readFile(join(projectRoot, 'dist/reference-values.json')))],
    trustAnchors: anchors.map((anchor) => new Uint8Array(new X509Certificate(anchor).raw)),
    extraCertificates: [],
    revocationLists: [],
    policy: demoPolicyAcceptingSoftwareTpm,
    time: new Date(report.receivedAt),
  };
  const verify = () => appraise(report.evidence, expected, nodeAttestCrypto).status;
  if (verify() !== 'accepted') {
    throw new BenchError('BENCH_REPORT_REFUSED', 'the report in dist/demo is refused', { nextStep: 'npm start' });
  }
  measure(verify, 500); // warm up
  emit({ name: 'attest.verify.per_s', value: measure(verify, MEASURE_MS), unit: 'per_s' });
}

function measure(verify: () => unknown, forMs: number): number {
  const startMs = performance.now();
  let count = 0;
  while (performance.now() - startMs < forMs) {
    verify();
    count += 1;
  }
  return Math.round((count / (performance.now() - startMs)) * 10_000) / 10;
}
