/** The report bundle: evidence, the broker's word for the activation, and what a third party needs to judge again. */

import type { Evidence } from '../attest/evidence.ts';
import type { ActivationTranscript, AnsweredActivation } from '../attest/quote/activation.ts';
import type { QuoteRole } from '../attest/quote/qualifying-data.ts';
import type { Verdict } from '../attest/verdict.ts';
import { fromBase64, fromHex, toBase64, toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';
import { decodeEvidence, encodeEvidence } from './evidence-document.ts';
import { ReportDocument, type ReportJudgement } from './messages.ts';
import { parseJson, requireShape, SchemaError } from './schema-check.ts';

export class ReportDocumentError extends CodedError<'REPORT_MALFORMED'> {}

export interface Report {
  readonly machineId: string;
  readonly brokerId: Uint8Array;
  /** As the broker states it; a verifier uses the one it was given. */
  readonly challenge: Uint8Array;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly evidence: Evidence;
  readonly activation: ActivationTranscript;
  /** What the broker says it judged with; absent in version 1. Untrusted like everything else in here. */
  readonly judgement?: StatedJudgement;
  /** Present when a verifier asked by itself, through the broker: what it wrapped for which keys, and the machine's answer. */
  readonly buyer?: AnsweredActivation;
}

/** As whom the machine was asked, as the report says: a quote in another role does not fit. */
export function roleIn(report: Pick<Report, 'buyer'>): QuoteRole {
  return report.buyer === undefined ? 'seller' : 'seller-to-buyer';
}

export interface StatedJudgement extends Omit<ReportJudgement, 'certificates'> {
  /** X.509 DER. */
  readonly certificates: readonly Uint8Array[];
}

/** `verdict` is the broker's opinion: carried for reading, never read back. */
export function encodeReport(report: Report, verdict: Verdict): ReportDocument {
  return {
    format: 'cpushare-report',
    version: report.judgement === undefined ? 1 : 2,
    machineId: report.machineId,
    brokerId: toHex(report.brokerId),
    challenge: toHex(report.challenge),
    receivedAt: report.receivedAt,
    evidence: encodeEvidence(report.evidence),
    activation: {
      statement: toBase64(report.activation.statement),
      signature: toBase64(report.activation.signature),
      brokerPublicKey: toBase64(report.activation.brokerPublicKey),
    },
    ...(report.judgement === undefined ? {} : { judgement: encodeJudgement(report.judgement) }),
    ...(report.buyer === undefined ? {} : { buyer: encodeBuyer(report.buyer) }),
    verdict,
  };
}

function encodeBuyer({ ekName, akName, secret, answer }: AnsweredActivation): NonNullable<ReportDocument['buyer']> {
  return { ekName, akName, secret: toHex(secret), ...(answer === null ? {} : { answer: toHex(answer) }) };
}

export function encodeJudgement(judgement: StatedJudgement): ReportJudgement {
  return { ...judgement, certificates: judgement.certificates.map(toBase64) };
}

/** @throws ReportDocumentError with the first field that does not fit as its cause */
export function decodeReport(value: unknown): Report {
  try {
    refuseEarlierEvidence(value);
    const document = requireShape(ReportDocument, value, 'report');
    const { judgement, buyer } = document;
    if ((document.version === 2) !== (judgement !== undefined)) {
      throw new SchemaError(
        'JSON_SHAPE',
        `report version ${document.version} ${judgement ? 'has no' : 'lacks its'} judgement`,
      );
    }
    return {
      machineId: document.machineId,
      brokerId: fromHex(document.brokerId),
      challenge: fromHex(document.challenge),
      receivedAt: document.receivedAt,
      evidence: decodeEvidence(document.evidence),
      activation: {
        statement: fromBase64(document.activation.statement),
        signature: fromBase64(document.activation.signature),
        brokerPublicKey: fromBase64(document.activation.brokerPublicKey),
      },
      ...(judgement === undefined
        ? {}
        : { judgement: { ...judgement, certificates: judgement.certificates.map(fromBase64) } }),
      ...(buyer === undefined ? {} : { buyer: decodeBuyer(buyer) }),
    };
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** Said apart: such a report was sound when it was made. */
function refuseEarlierEvidence(value: unknown): void {
  const { evidence } = (value ?? {}) as { readonly evidence?: { readonly version?: unknown } | null };
  if (evidence?.version !== 1) return;
  throw new SchemaError(
    'JSON_SHAPE',
    'the evidence is of version 1, of a release that did not quote over the claims: ask the machine for a new quote',
  );
}

function decodeBuyer(buyer: NonNullable<ReportDocument['buyer']>): AnsweredActivation {
  const answer = buyer.answer === undefined ? null : fromHex(buyer.answer);
  return { ekName: buyer.ekName, akName: buyer.akName, secret: fromHex(buyer.secret), answer };
}

/** The bytes of `report.json`. @throws ReportDocumentError */
export function parseReport(json: Uint8Array | string): Report {
  let value: unknown;
  try {
    value = parseJson(json, 'report');
  } catch (cause) {
    throw unreadable(cause);
  }
  return decodeReport(value);
}

function unreadable(cause: unknown): ReportDocumentError {
  return new ReportDocumentError('REPORT_MALFORMED', 'this is not a report of a broker', {
    cause,
    nextStep: 'fetch it again: GET /v1/machines/MACHINE/report at the broker',
  });
}
