/** The result of an appraisal: RFC 9334 Attestation Result in our own terms, the same object everywhere. */

import type { UsedWorkaround } from './boot/firmware-workaround-names.ts';
import type { MachineClaims, TpmClass } from './evidence.ts';
import type { QuoteClock } from './quote/quote-clock.ts';

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
    /** What is known to go wrong with such a TPM; `link` leads into SECURITY.md. */
    readonly weaknesses: readonly { readonly sentence: string; readonly link: string }[];
    /** The named authority that the EK certificate leads to; SHA-256 of its certificate, hex. */
    readonly anchor: { readonly fingerprint: string; readonly subject: string } | null;
    /** What is irregular about EK or certificate and was let through, as words of ek-quirks.ts. */
    readonly quirks: readonly string[];
  };
  /** The image whose reference values matched, or null. */
  readonly image: { readonly name: string; readonly version: string } | null;
  readonly pcrs: readonly PcrVerdict[];
  /** Each bank of the log: quoted and judged, or only in the log. */
  readonly banks: readonly BankVerdict[];
  /** What the firmware says about itself, as far as it is proven; null while register 7 is not. */
  readonly firmware: FirmwareVerdict | null;
  /** Oddities of the firmware that were overlooked because the policy names them. */
  readonly workarounds: readonly UsedWorkaround[];
  /** The TPM's own counters, or null unless the quote was proven. Whoever judges this machine again hands them over as `lastClock`. */
  readonly clock: QuoteClock | null;
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
  readonly difference?: {
    readonly component: string;
    readonly expected: string;
    readonly actual: string;
    /** The event of the log where it begins to differ, by its number, where one is known. */
    readonly event?: number;
  };
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

/** capped: somebody closed the bank by extending zeros, as Windows does with banks it does not use; never a boot state. */
export interface BankVerdict {
  readonly bank: string;
  readonly status: 'quoted' | 'in-log-only' | 'capped';
  readonly sentence: string;
}

export interface FirmwareVerdict {
  readonly secureBoot: {
    readonly state: 'on' | 'off' | 'setup-mode' | 'unproven';
    /** Certificates in the variables PK, KEK and db. */
    readonly platformKeys: readonly KeyVerdict[];
    readonly keyExchangeKeys: readonly KeyVerdict[];
    readonly db: readonly KeyVerdict[];
    readonly dbx: {
      readonly hashes: number;
      readonly certificates: number;
      /** The newest release of Microsoft's list whose marks are all in it, or null. */
      readonly release: string | null;
    };
    /** Certificates that verified what was started, in order. */
    readonly authorities: readonly (KeyVerdict & { readonly vouchedBy: 'db' | 'shim' | 'nobody' })[];
  };
  /** What was measured into register 7 and is not known, as sentences. */
  readonly unknowns: readonly string[];
}

/** A certificate by its SHA-256 in hex; `name` where it is well known (firmware-authorities.ts), not what it calls itself. */
export interface KeyVerdict {
  readonly sha256: string;
  readonly name: string | null;
}
