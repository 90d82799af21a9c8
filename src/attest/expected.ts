/** What an appraisal is measured against. Every field is required: there is no default that accepts anything. */
import type { ActivationProof } from './activation.ts';
import type { TpmClass } from './evidence.ts';
import type { QuoteRole } from './qualifying-data.ts';
import type { ReferenceValues } from './reference-values.ts';
import { array, object, oneOf, type Reader, readJson } from './strict-json.ts';

/** What stays the same from one appraisal to the next. */
export interface Standing {
  /** The releases we accept; the first whose registers fit names the image. */
  readonly referenceValues: readonly [ReferenceValues, ...ReferenceValues[]];
  /** X.509 DER of the certificate authorities whose word on TPMs we take. Empty: every TPM is of class `unknown`. */
  readonly trustAnchors: readonly Uint8Array[];
  /** X.509 DER, untrusted like the evidence's own: intermediates, and EK certificates of TPMs that hold none. */
  readonly extraCertificates: readonly Uint8Array[];
  /** X.509 v2 CRLs, DER. */
  readonly revocationLists: readonly Uint8Array[];
  readonly policy: Policy;
}

/** What one piece of evidence has to fit. */
export interface Request {
  /** The challenge this verifier sent, 32 bytes. */
  readonly challenge: Uint8Array;
  /** As whom the machine was asked. Absent: by its broker, `seller`. */
  readonly role?: QuoteRole;
  /** SHA-256 of the broker certificate's SubjectPublicKeyInfo, 32 bytes. */
  readonly brokerId: Uint8Array;
  /** How it is known that the AK belongs to the EK. */
  readonly activation: ActivationProof;
  /** When the evidence is judged: certificates must be valid then. */
  readonly time: Date;
}

export interface Expected extends Standing, Request {}

/** What the relying party accepts of a genuine machine. */
export interface Policy {
  /** `software` and `unknown` promise next to nothing; they are accepted only where they are named. */
  readonly acceptedTpmClasses: readonly TpmClass[];
  /** The machine must have booted with UEFI Secure Boot. Stated, not optional: without it lockdown is off. */
  readonly requireSecureBoot: true;
  /** The registers the quote must cover, ascending, bank sha256. */
  readonly pcrs: readonly number[];
}

export const TPM_CLASSES = ['hardware', 'firmware', 'cloud', 'software', 'unknown'] as const;

const register: Reader<number> = oneOf(Array.from({ length: 24 }, (_, index) => index));
const policyShape = object({
  acceptedTpmClasses: array(oneOf(TPM_CLASSES), { min: 1, max: TPM_CLASSES.length }),
  requireSecureBoot: oneOf([true]),
  pcrs: array(register, { min: 1, max: 24 }),
});

/** A policy file. Unknown keys are refused: a misspelt rule must not vanish. @throws ShapeError */
export function parsePolicy(json: Uint8Array | string): Policy {
  return readJson(json, policyShape, 'policy');
}
