/** What a broker states in a report about its own judgement: the rules it had, by name and in full, and what it cannot show. */
import { decode } from 'tpm2-ts/codec';
import { tpmtPublic } from 'tpm2-ts/public-area';
import { subjectPublicKeyInfo } from 'tpm2-ts/public-key';
import type { AttestCrypto } from '../attest/crypto/crypto.ts';
import { type Certificate, CertificateError, parseCertificate } from '../attest/endorsement/certificate.ts';
import type { Evidence } from '../attest/evidence.ts';
import type { Standing } from '../attest/expected.ts';
import { parseReferenceValues, type ReferenceValues } from '../attest/image/reference-values.ts';
import { contentId, policyId, referenceId } from '../attest/result/ear-policy-id.ts';
import { equalBytes } from '../shared/bytes.ts';
import type { Report, StatedJudgement } from './report-document.ts';

export const REPORT_LIMITS: readonly string[] = [
  'That the AK lives in this TPM is the signed word of the broker: a third party cannot prove the activation again, only everything else.',
  'The verdict, policy, reference values and certificates in this report are what its broker states: judge with your own choice of each.',
  'The report shows the machine as it was when it answered the challenge, not as it is now.',
];

/** The part that is the same for every report. */
export interface StatedStanding {
  readonly policyId: string;
  readonly referenceIds: readonly string[];
  readonly judgementOf: (evidence: Evidence, time: Date) => StatedJudgement;
}

export function stateStanding(standing: Standing, crypto: Pick<AttestCrypto, 'hash'>): StatedStanding {
  const { policy, referenceValues } = standing;
  const referenceIds = referenceValues.map((values) => referenceId(values, crypto));
  const id = policyId(policy, referenceIds, crypto);
  const extra = standing.extraCertificates.flatMap((der) => readable(der) ?? []);
  return {
    policyId: id,
    referenceIds,
    judgementOf: (evidence, time) => ({
      time: time.toISOString(),
      policy,
      policyId: id,
      referenceIds: [...referenceIds],
      referenceValues: [...referenceValues],
      certificates: neededCertificates(evidence, extra).map(({ der }) => der),
      limits: [...REPORT_LIMITS],
    }),
  };
}

type Carrying = Pick<Report, 'judgement'>;

/**
 * Certificates out of a report for a verifier to judge like the evidence's own: they help a chain along, and only the
 * verifier's anchors end it. Unreadable ones are left out, so that a report cannot make itself impossible to judge.
 */
export function statedCertificates({ judgement }: Carrying): readonly Uint8Array[] {
  return (judgement?.certificates ?? []).filter((der) => readable(der) !== null);
}

/** Reference values out of a report by an id that the verifier knows already: their content must hash to it. Null: not in there. */
export function statedReferenceValues(
  { judgement }: Carrying,
  id: string,
  crypto: Pick<AttestCrypto, 'hash'>,
): ReferenceValues | null {
  for (const value of judgement?.referenceValues ?? []) {
    if (contentId(value, crypto) === id) return parseReferenceValues(JSON.stringify(value));
  }
  return null;
}

const MAX_CERTIFICATES = 16;

/** Of all that the broker got elsewhere, what this machine's chain is made of; another machine's EK certificate is nobody's business. */
function neededCertificates(evidence: Evidence, extra: readonly Certificate[]): readonly Certificate[] {
  const own = evidence.ekCertificates.flatMap((der) => readable(der) ?? []);
  const needed = extra.filter((certificate) => certifies(certificate, evidence.ekPublic));
  for (let added = true; added && needed.length < MAX_CERTIFICATES; ) {
    const issuers = [...own, ...needed].map(({ issuer }) => issuer);
    const next = extra.filter(
      (each) => !needed.includes(each) && issuers.some((issuer) => equalBytes(issuer, each.subject)),
    );
    needed.push(...next);
    added = next.length > 0;
  }
  return needed.slice(0, MAX_CERTIFICATES);
}

/** By the key's last bytes: some makers label the same key differently (RSAES-OAEP). */
function certifies(certificate: Certificate, ekPublic: Uint8Array): boolean {
  try {
    const key = subjectPublicKeyInfo(decode(tpmtPublic, ekPublic));
    return equalBytes(certificate.publicKeyInfo.subarray(-60), key.subarray(-60));
  } catch {
    return false; // an EK that cannot be read is refused by the verdict
  }
}

function readable(der: Uint8Array): Certificate[] | null {
  try {
    return [parseCertificate(der)];
  } catch (error) {
    if (error instanceof CertificateError) return null;
    throw error;
  }
}
