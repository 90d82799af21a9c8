/** Our own recordings (test/fixtures) as the bench verifies them; used in this thread and in others. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project.ts';
import { appraiseWith } from '../../attest/appraise.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import type { Request } from '../../attest/expected.ts';
import { parseReferenceValues } from '../../attest/image/reference-values.ts';
import { demoPolicyAcceptingSoftwareTpm } from '../../attest/policy/policies.ts';
import { prepare } from '../../attest/prepare.ts';
import type { ActivationProof, ActivationStatement, ActivationTranscript } from '../../attest/quote/activation.ts';
import { parseReport, type Report } from '../../protocol/report-document.ts';
import { fromHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { readPem } from '../../shared/pem.ts';

export class BenchError extends CodedError<'BENCH_REPORT_REFUSED'> {}

/** Of the median size of real PCs' logs. */
export type Recording = 'median-p256' | 'median-rsa2048';

/** witnessed: as a broker judges, who ran the activation. transcript: as a third party, who checks a broker's word for it. */
export type Activation = 'witnessed' | 'transcript';

/** seen: as a broker judges machines that come again, whose keys and certificates it has read. new: nothing is remembered of any. */
export type Machines = 'seen' | 'new';
const REMEMBERED_MACHINES = 100;

/** One full verification per call. @throws BenchError when the recording is not accepted: then there is nothing to time */
export async function verification(
  recording: Recording,
  activation: Activation,
  machines: Machines,
): Promise<() => void> {
  const read = (name: string) => readRecording(recording, name);
  const report = await recordedReport(recording);
  const standing = {
    referenceValues: [parseReferenceValues(await read('reference-values.json'))],
    trustAnchors: readPem(await read('trust.pem'), 'CERTIFICATE'),
    extraCertificates: [],
    revocationLists: [],
    policy: demoPolicyAcceptingSoftwareTpm,
  } as const;
  const request: Request = {
    challenge: fromHex((await read('nonce')).trim()),
    brokerId: report.brokerId,
    activation:
      activation === 'transcript'
        ? { kind: 'transcript', transcript: report.activation }
        : witnessed(report.activation),
    time: new Date(report.receivedAt),
  };
  const prepared = prepare(standing, nodeAttestCrypto, machines === 'seen' ? REMEMBERED_MACHINES : 0);
  return () => {
    if (appraiseWith(report.evidence, prepared, request, nodeAttestCrypto).status === 'accepted') return;
    throw new BenchError('BENCH_REPORT_REFUSED', `the recording ${recording} is refused`);
  };
}

export async function recordedReport(recording: Recording): Promise<Report> {
  return parseReport(await readRecording(recording, 'report.json'));
}

function readRecording(recording: Recording, name: string): Promise<string> {
  return readFile(join(projectRoot, 'test/fixtures', recording, name), 'utf8');
}

/** The Names as the one knows them who ran the activation. */
function witnessed({ statement }: ActivationTranscript): ActivationProof {
  const { ekName, akName } = JSON.parse(new TextDecoder().decode(statement)) as ActivationStatement;
  return { kind: 'witnessed', ekName, akName };
}

export interface Rate {
  readonly mean: number;
  /** Of the best half second: what else a computer does, or its neighbours under one hypervisor, only ever takes away. */
  readonly best: number;
}

const WINDOW_MS = 500;

/** Calls a second in so many half seconds, after as many in which the engine compiles. */
export function callsPerSecond(call: () => void, windows: number): Rate {
  const window = (): number => {
    const startMs = performance.now();
    let count = 0;
    for (; performance.now() - startMs < WINDOW_MS; count += 1) call();
    return (count * 1000) / (performance.now() - startMs);
  };
  const measure = () => Array.from({ length: windows }, window);
  measure();
  const rates = measure();
  return { mean: rates.reduce((sum, rate) => sum + rate, 0) / windows, best: Math.max(...rates) };
}
