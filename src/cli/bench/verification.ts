/** Our own recordings (test/fixtures) as the bench verifies them; used in this thread and in others. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project.ts';
import { appraiseWith } from '../../attest/appraise.ts';
import type { AttestCrypto } from '../../attest/crypto.ts';
import { demoPolicyAcceptingSoftwareTpm } from '../../attest/policies.ts';
import { prepare } from '../../attest/prepare.ts';
import { parseReferenceValues } from '../../attest/reference-values.ts';
import { parseReport } from '../../protocol/report-document.ts';
import { fromHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { readPem } from '../../shared/pem.ts';

export class BenchError extends CodedError<'BENCH_REPORT_REFUSED'> {}

export type Recording = 'p256' | 'rsa2048';

/** One full verification per call. @throws BenchError when the recording is not accepted: then there is nothing to time */
export async function verification(recording: Recording, crypto: AttestCrypto): Promise<() => void> {
  const read = (name: string) => readFile(join(projectRoot, 'test/fixtures', recording, name), 'utf8');
  const report = parseReport(await read('report.json'));
  const standing = {
    referenceValues: [parseReferenceValues(await read('reference-values.json'))],
    trustAnchors: readPem(await read('trust.pem'), 'CERTIFICATE'),
    extraCertificates: [],
    revocationLists: [],
    policy: demoPolicyAcceptingSoftwareTpm,
  } as const;
  const request = {
    challenge: fromHex((await read('nonce')).trim()),
    brokerId: report.brokerId,
    activation: { kind: 'transcript', transcript: report.activation },
    time: new Date(report.receivedAt),
  } as const;
  const prepared = prepare(standing, crypto);
  return () => {
    if (appraiseWith(report.evidence, prepared, request, crypto).status === 'accepted') return;
    throw new BenchError('BENCH_REPORT_REFUSED', `the recording ${recording} is refused`);
  };
}

/** Calls a second, over at least `forMs`, after a warm-up. */
export function callsPerSecond(call: () => void, forMs: number): number {
  const during = (ms: number): number => {
    const startMs = performance.now();
    let count = 0;
    for (; performance.now() - startMs < ms; count += 1) call();
    return (count * 1000) / (performance.now() - startMs);
  };
  during(forMs / 5);
  return during(forMs);
}
