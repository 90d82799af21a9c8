/** What a person gave the page, as `Expected`: the same rules and codes as the options of `cpushare attest verify`. */

import type { AttestCrypto } from '../attest/crypto/crypto.ts';
import { parseCertificate } from '../attest/endorsement/certificate.ts';
import type { TpmClass } from '../attest/evidence.ts';
import type { Expected } from '../attest/expected.ts';
import { type ReferenceTrust, readReferenceValues, requireP256 } from '../attest/image/signed-reference-values.ts';
import { policyAccepting } from '../attest/policy/policies.ts';
import { type Policy, parsePolicy } from '../attest/policy/policy.ts';
import { type Report, roleIn } from '../protocol/report-document.ts';
import { statedCertificates } from '../protocol/report-judgement.ts';
import { fromHex } from '../shared/bytes.ts';
import { CodedError } from '../shared/errors.ts';
import { type PemLabel, readPemOrDer } from '../shared/pem.ts';
import type { GivenDocument } from './documents.ts';

export class PageInputError extends CodedError<
  | 'REPORT_MISSING'
  | 'REFERENCE_MISSING'
  | 'NONCE_BAD'
  | 'BROKER_ID_BAD'
  | 'TIME_BAD'
  | 'TRUST_FILE_BAD'
  | 'REFERENCE_KEY_BAD'
> {}

export interface PageInputs {
  readonly documents: readonly GivenDocument[];
  /** 64 hex digits, or the one in the report: then nothing shows that the report is fresh. */
  readonly challenge: { readonly kind: 'given'; readonly text: string } | { readonly kind: 'as-reported' };
  /** Empty: the report's own. */
  readonly brokerId: string;
  readonly acceptedClasses: readonly TpmClass[];
  /** ISO 8601; empty: now. */
  readonly at: string;
}

/** @throws CodedError with what is missing or cannot be used */
export function expectedFrom(inputs: PageInputs, report: Report, now: Date, crypto: AttestCrypto): Expected {
  const signers = referenceTrust(inputs);
  const [first, ...others] = ofKind(inputs, 'reference').map(
    ({ bytes }) => readReferenceValues(bytes, signers, crypto).values,
  );
  if (first === undefined) {
    throw new PageInputError('REFERENCE_MISSING', 'no reference values were given', {
      nextStep: 'add the reference-values.json of the image that the machine should run',
    });
  }
  return {
    challenge: inputs.challenge.kind === 'given' ? nonce(inputs.challenge.text) : report.challenge,
    brokerId: inputs.brokerId === '' ? report.brokerId : hex32('BROKER_ID_BAD', 'a broker id', inputs.brokerId),
    role: roleIn(report),
    activation: { kind: 'transcript', transcript: report.activation },
    referenceValues: [first, ...others],
    trustAnchors: derFiles(inputs, 'trust', 'CERTIFICATE', parseCertificate),
    extraCertificates: [...derFiles(inputs, 'certificate', 'CERTIFICATE'), ...statedCertificates(report)],
    revocationLists: derFiles(inputs, 'crl', 'X509 CRL'),
    policy: policyFrom(inputs),
    time: timeFrom(inputs.at, now),
  };
}

/** The newest report that was given. @throws PageInputError */
export function reportBytes(inputs: PageInputs): Uint8Array {
  const report = ofKind(inputs, 'report').at(-1);
  if (report !== undefined) return report.bytes;
  throw new PageInputError('REPORT_MISSING', 'no report was given', {
    nextStep: 'add the report.json that a broker hands out',
  });
}

function ofKind(inputs: PageInputs, kind: GivenDocument['kind']): readonly GivenDocument[] {
  return inputs.documents.filter((document) => document.kind === kind);
}

function nonce(text: string): Uint8Array {
  if (text !== '') return hex32('NONCE_BAD', 'a nonce', text);
  throw new PageInputError('NONCE_BAD', 'the challenge that the machine had to answer was not given', {
    nextStep: 'enter it, or choose to take the one that the report names',
  });
}

function hex32(code: 'NONCE_BAD' | 'BROKER_ID_BAD', what: string, text: string): Uint8Array {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return fromHex(text);
  throw new PageInputError(code, `${what} has 64 hex digits, given was ${JSON.stringify(text.slice(0, 70))}`);
}

/** Every block of a PEM file, or one in DER. `check` throws on what cannot be read; what they say is judged later. */
function derFiles(
  inputs: PageInputs,
  kind: GivenDocument['kind'],
  label: PemLabel,
  check: (der: Uint8Array) => unknown = () => undefined,
): Uint8Array[] {
  return ofKind(inputs, kind).flatMap(({ name, bytes }) => {
    try {
      const contents = readPemOrDer(bytes, label);
      contents.forEach(check);
      return contents;
    } catch (cause) {
      throw new PageInputError('TRUST_FILE_BAD', `${name} cannot be used`, {
        cause,
        nextStep: `give a file with "BEGIN ${label}" blocks (PEM), or one in DER`,
      });
    }
  });
}

/** With a key named, only what it signed is believed; without, whoever made the file. */
function referenceTrust(inputs: PageInputs): ReferenceTrust {
  const files = ofKind(inputs, 'reference-key');
  return files.length === 0 ? 'unsigned' : { trustedKeys: files.flatMap(publicKeysOf) };
}

function publicKeysOf({ name, bytes }: GivenDocument): Uint8Array[] {
  try {
    return readPemOrDer(bytes, 'PUBLIC KEY').map(requireP256);
  } catch (cause) {
    throw new PageInputError('REFERENCE_KEY_BAD', `${name} holds no public P-256 key in PEM form`, {
      cause,
      nextStep: 'give the public key that was published with the release',
    });
  }
}

function policyFrom(inputs: PageInputs): Policy {
  const file = ofKind(inputs, 'policy').at(-1);
  return file === undefined ? policyAccepting(inputs.acceptedClasses) : parsePolicy(file.bytes);
}

function timeFrom(text: string, now: Date): Date {
  const time = text === '' ? now : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new PageInputError('TIME_BAD', `${JSON.stringify(text)} is not a time`, {
    nextStep: 'write it like 2026-11-21T05:00:00Z',
  });
}
