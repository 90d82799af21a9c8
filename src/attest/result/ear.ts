/**
 * A verdict as EAR claims: EAT Attestation Result, draft-ietf-rats-ear-04, JSON names. One Attester was appraised, so there
 * is one submodule, `machine`. Pure: who signs it and when it expires are arguments.
 */
import { toBase64 } from '../../shared/bytes.ts';
import type { MachineClaims } from '../evidence.ts';
import type { Check, Verdict } from '../verdict.ts';
import { type Tier, type TrustVector, worstTier } from './ear-tiers.ts';
import { type AppraisedVector, appraisedVector, vectorOf } from './ear-vector.ts';

export const EAR_PROFILE = 'tag:ietf.org,2026:rats/ear#04';
/** RFC 9782 §4; the parameter's value needs quotes for its comma and hash. */
export const EAR_MEDIA_TYPE = `application/eat+jwt; eat_profile="${EAR_PROFILE}"`;
export const MACHINE_SUBMODULE = 'machine';

export interface EarContext {
  /** Who appraised: the organization, and the build of its software. */
  readonly verifier: { readonly developer: string; readonly build: string };
  /** When the evidence was judged. */
  readonly issuedAt: Date;
  /** When this result is no longer to be relied on: a machine changes after it was judged. */
  readonly expiresAt: Date;
  /** The challenge that was answered, 32 bytes. */
  readonly challenge: Uint8Array;
  /** SHA-256 of the EK's Name, hex. */
  readonly machineId: string;
  /** SHA-256 of each file of reference values that was judged with, hex. */
  readonly referenceIds: readonly string[];
  /** Names the policy that was judged with; see `policyId`. */
  readonly policyId: string;
  /** SHA-256 of the session key's SubjectPublicKeyInfo, hex: whose channel this result is about. */
  readonly sessionKeySha256: string;
  /** The evidence as it was submitted, where the result is to carry it. */
  readonly rawEvidence?: { readonly mediaType: string; readonly content: Uint8Array };
}

/** Times in whole seconds since 1970 (RFC 9711 §4.3.1). */
export interface EarClaims {
  readonly eat_profile: typeof EAR_PROFILE;
  readonly iat: number;
  readonly exp: number;
  /** base64url of the challenge. */
  readonly eat_nonce: string;
  readonly ear_verifier_id: { readonly developer: string; readonly build: string };
  /** A CMW record (RFC 9999): media type, base64url. */
  readonly ear_raw_evidence?: readonly [string, string];
  readonly submods: { readonly [MACHINE_SUBMODULE]: EarAppraisal };
}

export interface EarAppraisal {
  readonly ear_status: Tier;
  readonly ear_trustworthiness_vector: TrustVector;
  readonly ear_appraisal_policy_ids: readonly string[];
  /** What the machine says of itself; present only when its signature and binding were proven. */
  readonly ear_attester_claims?: MachineClaims;
  readonly ear_verifier_claims: VerifierClaims;
}

export interface VerifierClaims {
  readonly verdict: Verdict['status'];
  readonly machineId: string;
  readonly sessionKeySha256: string;
  readonly image: Verdict['image'];
  readonly tpm: Verdict['tpm'];
  readonly checks: readonly Check[];
  /** Oddities of the firmware that were overlooked because the policy names them. */
  readonly workarounds: Verdict['workarounds'];
  /** Why each number of the vector is what it is. */
  readonly reasons: { readonly [claim: string]: string };
  readonly referenceIds: readonly string[];
  readonly limits: readonly string[];
}

export function earClaims(verdict: Verdict, context: EarContext): EarClaims {
  const { rawEvidence } = context;
  return {
    eat_profile: EAR_PROFILE,
    iat: seconds(context.issuedAt),
    exp: seconds(context.expiresAt),
    eat_nonce: toBase64Url(context.challenge),
    ear_verifier_id: context.verifier,
    ...(rawEvidence === undefined
      ? {}
      : { ear_raw_evidence: [rawEvidence.mediaType, toBase64Url(rawEvidence.content)] as const }),
    submods: { [MACHINE_SUBMODULE]: appraisal(verdict, context) },
  };
}

function appraisal(verdict: Verdict, context: EarContext): EarAppraisal {
  const appraised = appraisedVector(verdict);
  return {
    ear_status: statusOf(verdict, appraised),
    ear_trustworthiness_vector: vectorOf(appraised),
    ear_appraisal_policy_ids: [context.policyId],
    ...(verdict.claims === null ? {} : { ear_attester_claims: verdict.claims }),
    ear_verifier_claims: {
      verdict: verdict.status,
      machineId: context.machineId,
      sessionKeySha256: context.sessionKeySha256,
      image: verdict.image,
      tpm: verdict.tpm,
      checks: verdict.checks,
      workarounds: verdict.workarounds,
      reasons: Object.fromEntries(Object.entries(appraised).map(([claim, { reason }]) => [claim, reason])),
      referenceIds: context.referenceIds,
      limits: verdict.limits,
    },
  };
}

/**
 * Never more than the worst claim allows: a software TPM that a policy accepts by name is still no hardware, and a relying
 * party that reads nothing but the status must not be misled. Refused is refused, whatever passed before.
 */
export function earStatus(verdict: Verdict): Tier {
  return statusOf(verdict, appraisedVector(verdict));
}

function statusOf(verdict: Verdict, appraised: AppraisedVector): Tier {
  return verdict.status === 'refused' ? 'contraindicated' : worstTier(vectorOf(appraised));
}

const seconds = (time: Date): number => Math.floor(time.getTime() / 1000);

/** RFC 4648 §5 without padding, as JOSE has it. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
