/** The result of an appraisal: RFC 9334 Attestation Result in our own terms, the same object everywhere. */
import type { MachineClaims, TpmClass } from './evidence.ts';

/** accepted: every required check passed. refused: at least one failed. A verdict is never partial. */
export interface Verdict {
  readonly status: 'accepted' | 'refused';
  /** In the order they were judged; after the first failure of a stage, later stages are `not-reached`. */
  readonly checks: readonly Check[];
  readonly tpm: {
    readonly class: TpmClass;
    readonly manufacturer: string | null;
    readonly model: string | null;
    readonly evidence: string;
  };
  /** The image whose reference values matched, or null. */
  readonly image: { readonly name: string; readonly version: string } | null;
  readonly pcrs: readonly PcrVerdict[];
  /** Null unless the claims' signature and the session key's binding to the quote were proven. */
  readonly claims: MachineClaims | null;
  /** What this verdict cannot promise, in plain sentences. */
  readonly limits: readonly string[];
}

export interface Check {
  /** Stable, documented in docs/errors.md, for instance `QUOTE_SIGNATURE_INVALID` is the code when `name` is `quote-signature`. */
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'not-reached';
  /** Present when failed. */
  readonly code?: string;
  /** malformed: cannot be read. false: contradicts itself or the signature. policy: genuine, and not what we accept. */
  readonly family?: 'malformed' | 'false' | 'policy';
  readonly sentence: string;
  readonly remedy?: string;
  /** The component that differs (`kernel command line`, `initrd`, `shim` …) with expected and actual, where there is one. */
  readonly difference?: { readonly component: string; readonly expected: string; readonly actual: string };
}

export interface PcrVerdict {
  readonly index: number;
  readonly bank: string;
  /** hex */
  readonly value: string;
  /** reference: equals our reference values. rule: judged by rule (firmware). explained: replayed, not judged. initial: never extended. */
  readonly basis: 'reference' | 'rule' | 'explained' | 'initial' | 'unexplained' | 'differs';
  readonly sentence: string;
}
