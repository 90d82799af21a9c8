/** What an appraisal is measured against. Every field is required: there is no default that accepts anything. */

import type { TpmClass } from './evidence.ts';
import type { ReferenceValues } from './image/reference-values.ts';
import type { Policy } from './policy/policy.ts';
import type { ActivationProof } from './quote/activation.ts';
import type { QuoteRole } from './quote/qualifying-data.ts';
import type { QuoteClock } from './quote/quote-clock.ts';

/** What stays the same from one appraisal to the next. */
export interface Standing {
  /** The releases we accept; the first whose registers fit names the image. */
  readonly referenceValues: readonly [ReferenceValues, ...ReferenceValues[]];
  /** X.509 DER of the certificate authorities whose word on TPMs we take. Empty: every TPM is of class `unknown`. */
  readonly trustAnchors: readonly Uint8Array[];
  /** By SHA-256 in lower-case hex: which TPMs an anchor stands for that is in no table of vendors. Without: class `unknown`. */
  readonly anchorClasses?: Readonly<Record<string, TpmClass>>;
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
  /** The newest clock of this TPM that was proven to this verifier. Absent or null: none is known, and the verdict says so. */
  readonly lastClock?: QuoteClock | null;
  /** When the evidence is judged: certificates must be valid then. */
  readonly time: Date;
}

export interface Expected extends Standing, Request {}
