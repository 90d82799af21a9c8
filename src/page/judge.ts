/** The judgement as the page needs it: the verifier's own code, with what it was given or why it could not judge. */
import { appraise } from '../attest/appraise.ts';
import type { AttestCrypto } from '../attest/crypto/crypto.ts';
import type { Change } from '../attest/explain/change.ts';
import { explain } from '../attest/explain/explain.ts';
import { readBoot } from '../attest/explain/read-boot.ts';
import type { Verdict } from '../attest/verdict.ts';
import { parseReport } from '../protocol/report-document.ts';
import { requireOwnMachineId } from '../protocol/report-machine.ts';
import { toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';
import { expectedFrom, type PageInputs, reportBytes } from './inputs.ts';

export type Outcome =
  | {
      readonly kind: 'judged';
      readonly verdict: Verdict;
      readonly facts: ReportFacts;
      /** What is other than in the reference values, in words; empty unless the log is proven and the report refused. */
      readonly changes: readonly Change[];
    }
  | { readonly kind: 'unjudged'; readonly error: CodedError };

/** What the report is headed with and the verdict does not know. */
export interface ReportFacts {
  readonly machineId: string;
  readonly brokerId: string;
  /** The broker as the report says, or as the person said. */
  readonly brokerSource: 'report' | 'given';
  readonly challengeSource: 'report' | 'given';
  readonly receivedAt: string;
  /** Whose challenge the machine answered: its broker's, or a buyer's that the broker carried. */
  readonly askedBy: 'broker' | 'buyer';
}

/** @throws whatever is no CodedError: a defect of this program */
export function judgeInputs(inputs: PageInputs, now: Date, crypto: AttestCrypto): Outcome {
  try {
    const report = parseReport(reportBytes(inputs));
    requireOwnMachineId(report, crypto);
    const expected = expectedFrom(inputs, report, now, crypto);
    const verdict = appraise(report.evidence, expected, crypto);
    return {
      kind: 'judged',
      verdict,
      facts: {
        machineId: report.machineId,
        brokerId: toHex(expected.brokerId),
        brokerSource: inputs.brokerId === '' ? 'report' : 'given',
        challengeSource: inputs.challenge.kind === 'given' ? 'given' : 'report',
        receivedAt: report.receivedAt,
        askedBy: report.buyer === undefined ? 'broker' : 'buyer',
      },
      changes: isBootRefused(verdict)
        ? explain(readBoot(report.evidence, crypto), { references: expected.referenceValues, earlier: null }).changes
        : [],
    };
  } catch (error) {
    if (error instanceof CodedError) return { kind: 'unjudged', error };
    throw error;
  }
}

/** The log led to the signed registers, and what it tells is not accepted. */
function isBootRefused({ status, checks }: Verdict): boolean {
  const log = checks.find(({ name }) => name === 'event-log-replay');
  return status === 'refused' && log?.status === 'passed';
}
