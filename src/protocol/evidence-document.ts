/** `Evidence` as one JSON document and back. Binary fields are canonical base64, PCR values lower-case hex. */
import type { Evidence } from '../attest/evidence.ts';
import { fromBase64, fromHex, toBase64, toHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';
import { EvidenceDocument } from './messages.ts';
import { requireShape } from './schema-check.ts';

export class EvidenceDocumentError extends CodedError<'EVIDENCE_MALFORMED'> {}

export function encodeEvidence(evidence: Evidence): EvidenceDocument {
  return {
    format: 'cpushare-evidence',
    version: 2,
    quote: toBase64(evidence.quote),
    signature: toBase64(evidence.signature),
    pcrs: mapPcrs(evidence.pcrs, toHex),
    eventLog: toBase64(evidence.eventLog),
    imaLog: toBase64(evidence.imaLog),
    configuration: toBase64(evidence.configuration),
    akPublic: toBase64(evidence.akPublic),
    ekPublic: toBase64(evidence.ekPublic),
    ekCertificates: evidence.ekCertificates.map(toBase64),
    sessionPublicKey: toBase64(evidence.sessionPublicKey),
    claims: toBase64(evidence.claims),
  };
}

/** @throws EvidenceDocumentError with the first field that does not fit as its cause */
export function decodeEvidence(value: unknown): Evidence {
  try {
    const document = requireShape(EvidenceDocument, value, 'evidence');
    return {
      quote: fromBase64(document.quote),
      signature: fromBase64(document.signature),
      pcrs: mapPcrs(document.pcrs, fromHex),
      eventLog: fromBase64(document.eventLog),
      imaLog: fromBase64(document.imaLog),
      configuration: fromBase64(document.configuration),
      akPublic: fromBase64(document.akPublic),
      ekPublic: fromBase64(document.ekPublic),
      ekCertificates: document.ekCertificates.map(fromBase64),
      sessionPublicKey: fromBase64(document.sessionPublicKey),
      claims: fromBase64(document.claims),
    };
  } catch (cause) {
    throw new EvidenceDocumentError('EVIDENCE_MALFORMED', 'this is not an evidence document', { cause });
  }
}

type Banks<T> = { readonly [bank: string]: { readonly [index: string]: T } };

function mapPcrs<A, B>(banks: Banks<A>, convert: (value: A) => B): Record<string, Record<string, B>> {
  return Object.fromEntries(
    Object.entries(banks).map(([bank, registers]) => [
      bank,
      Object.fromEntries(Object.entries(registers).map(([index, value]) => [index, convert(value)])),
    ]),
  );
}
