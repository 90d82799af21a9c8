/**
 * EAR claims back into one shape, whichever of the two spellings they have: draft-ietf-rats-ear-04 (`ear_status`) or the
 * dotted names that verifiers of 2023 to 2025 write (`ear.status`). Only for claims whose signature was verified: see
 * ear-jose.ts. Keys that neither spelling knows are extensions and are left alone.
 */
import { CodedError } from '../../shared/errors.ts';
import { EAR_PROFILE } from './ear.ts';
import { promisesMore, TIERS, type Tier, type TrustVector, VECTOR_CLAIMS, worstSaidTier } from './ear-tiers.ts';

/** malformed: cannot be read. false: contradicts itself or its signature. policy: genuine, and not what is accepted. */
export type EarErrorCode =
  | 'EAR_TOO_LARGE'
  | 'EAR_MALFORMED'
  | 'EAR_ALGORITHM_REFUSED'
  | 'EAR_TYPE_WRONG'
  | 'EAR_KEY_UNKNOWN'
  | 'EAR_SIGNATURE_INVALID'
  | 'EAR_PROFILE_UNKNOWN'
  | 'EAR_NOT_YET_VALID'
  | 'EAR_EXPIRED'
  | 'EAR_EXPIRY_MISSING'
  | 'EAR_NONCE_MISMATCH'
  | 'EAR_STATUS_INCONSISTENT';

export class EarError extends CodedError<EarErrorCode> {}

export const OLD_EAR_PROFILE = 'tag:github.com,2023:veraison/ear';

export interface EarResult {
  readonly profile: string;
  readonly issuedAt: Date;
  /** Null only where the reader named an age up to which a result without expiry counts. */
  readonly expiresAt: Date | null;
  /** As written: base64url in ours. */
  readonly nonces: readonly string[];
  readonly verifier: { readonly developer: string; readonly build: string };
  readonly submodules: { readonly [name: string]: EarSubmodule };
  readonly carriesEvidence: boolean;
}

export interface EarSubmodule {
  readonly status: Tier;
  readonly vector: TrustVector;
  readonly policyIds: readonly string[];
  /** Claims of the Attester and of the Verifier: whatever they wrote, untyped. */
  readonly attesterClaims: Json;
  readonly verifierClaims: Json;
}

type Json = { readonly [key: string]: unknown };

export interface EarExpectations {
  readonly time: Date;
  /** base64url of the challenge that must be among the nonces; without it any nonce passes. */
  readonly nonce?: string;
  /** Accept a result that names no expiry, up to this age. Without it such a result is refused. */
  readonly maxAgeWithoutExpiryMs?: number;
}

interface Names {
  readonly status: string;
  readonly vector: string;
  readonly verifierId: string;
  readonly rawEvidence: string;
  readonly policyIds: readonly string[];
  readonly attesterClaims: string;
  readonly verifierClaims: readonly string[];
}

const NAMES: { readonly [profile: string]: Names } = {
  [EAR_PROFILE]: {
    status: 'ear_status',
    vector: 'ear_trustworthiness_vector',
    verifierId: 'ear_verifier_id',
    rawEvidence: 'ear_raw_evidence',
    policyIds: ['ear_appraisal_policy_ids'],
    attesterClaims: 'ear_attester_claims',
    verifierClaims: ['ear_verifier_claims'],
  },
  [OLD_EAR_PROFILE]: {
    status: 'ear.status',
    vector: 'ear.trustworthiness-vector',
    verifierId: 'ear.verifier-id',
    rawEvidence: 'ear.raw-evidence',
    policyIds: ['ear.appraisal-policy-id', 'ear.appraisal-policy-ids'],
    attesterClaims: 'ear.veraison.annotated-evidence',
    verifierClaims: ['ear.veraison.policy-claims'],
  },
};

/** Bounds on work, not on truth. */
const MAX_SUBMODULES = 100;
const MAX_NONCES = 16;
/** Two clocks are rarely the same to the second. */
const CLOCK_SKEW_MS = 60_000;

/** @throws EarError */
export function readEarClaims(claims: unknown, expected: EarExpectations): EarResult {
  const top = objectAt(claims, 'the claims');
  const profile = textAt(top, 'eat_profile');
  const names = Object.hasOwn(NAMES, profile) ? NAMES[profile] : undefined;
  if (names === undefined) {
    throw new EarError('EAR_PROFILE_UNKNOWN', `the result has the profile ${quoted(profile)}`, {
      nextStep: `ask its verifier for one of ${EAR_PROFILE} or ${OLD_EAR_PROFILE}`,
    });
  }
  const issuedAt = timeAt(top, 'iat');
  if (issuedAt === null) throw malformed('it does not say when it was issued (iat)');
  const expiresAt = requireFresh(issuedAt, timeAt(top, 'nbf'), timeAt(top, 'exp'), expected);
  const nonces = listOf(top.eat_nonce, MAX_NONCES, 'eat_nonce').map((nonce) => text(nonce, 'eat_nonce'));
  if (expected.nonce !== undefined && !nonces.includes(expected.nonce)) {
    throw new EarError('EAR_NONCE_MISMATCH', 'the result answers another challenge than the one that was sent', {
      nextStep: 'ask for a new result, and give it the challenge',
    });
  }
  const verifier = objectAt(top[names.verifierId], names.verifierId);
  return {
    profile,
    issuedAt,
    expiresAt,
    nonces,
    verifier: { developer: textAt(verifier, 'developer'), build: textAt(verifier, 'build') },
    submodules: submodules(top.submods, names),
    carriesEvidence: top[names.rawEvidence] !== undefined,
  };
}

function submodules(value: unknown, names: Names): EarResult['submodules'] {
  const entries = Object.entries(objectAt(value, 'submods'));
  if (entries.length === 0) throw malformed('it appraises nothing: submods is empty');
  if (entries.length > MAX_SUBMODULES) throw malformed(`it has ${entries.length} submodules`);
  return Object.fromEntries(entries.map(([name, each]) => [name, submodule(name, each, names)]));
}

function submodule(name: string, value: unknown, names: Names): EarSubmodule {
  const appraisal = objectAt(value, `submodule ${quoted(name)}`);
  const status = TIERS.find((tier) => tier === appraisal[names.status]);
  if (status === undefined) throw malformed(`submodule ${quoted(name)} has no ${names.status} that is known`);
  const vector = vectorAt(appraisal[names.vector], names.vector);
  if (Object.keys(vector).length > 0 && promisesMore(status, worstSaidTier(vector))) {
    throw new EarError(
      'EAR_STATUS_INCONSISTENT',
      `submodule ${quoted(name)} is called ${status}, its worst claim is ${worstSaidTier(vector)}`,
      { nextStep: 'do not rely on this verifier: the draft forbids a status above the worst claim' },
    );
  }
  return {
    status,
    vector,
    policyIds: names.policyIds.flatMap((key) => listOf(appraisal[key], 100, key)).map((id) => text(id, 'a policy id')),
    attesterClaims: optionalObject(appraisal[names.attesterClaims], names.attesterClaims),
    verifierClaims: Object.assign({}, ...names.verifierClaims.map((key) => optionalObject(appraisal[key], key))),
  };
}

function vectorAt(value: unknown, name: string): TrustVector {
  const given = optionalObject(value, name);
  const vector: { -readonly [claim in keyof TrustVector]: number } = {};
  for (const claim of VECTOR_CLAIMS) {
    const number = given[claim] ?? given[claim.replace('-', '_')];
    if (number === undefined) continue;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < -128 || number > 127) {
      throw malformed(`${name}.${claim} is no whole number from -128 to 127`);
    }
    vector[claim] = number;
  }
  return vector;
}

function requireFresh(
  issuedAt: Date,
  notBefore: Date | null,
  exp: Date | null,
  expected: EarExpectations,
): Date | null {
  const { time, maxAgeWithoutExpiryMs } = expected;
  const begins = Math.max(issuedAt.getTime(), notBefore?.getTime() ?? 0);
  if (time.getTime() + CLOCK_SKEW_MS < begins) {
    throw new EarError('EAR_NOT_YET_VALID', `the result is of ${new Date(begins).toISOString()}, which is to come`, {
      nextStep: 'check the clock of this computer',
    });
  }
  if (exp === null && maxAgeWithoutExpiryMs === undefined) {
    throw new EarError('EAR_EXPIRY_MISSING', 'the result never expires: it says nothing about the machine of today', {
      nextStep:
        'ask its verifier for results with an expiry (exp), or name an age up to which you accept it (--max-age)',
    });
  }
  const end = exp?.getTime() ?? issuedAt.getTime() + (maxAgeWithoutExpiryMs ?? 0);
  if (!(time.getTime() < end)) {
    throw new EarError('EAR_EXPIRED', `the result was good until ${new Date(end).toISOString()}`, {
      nextStep: 'fetch a new one from the verifier',
    });
  }
  return exp;
}

/** NumericDate in whole seconds; EAT forbids the floating form. The upper bound is what a Date holds. */
function timeAt(top: Json, name: string): Date | null {
  const value = top[name];
  if (value === undefined) return null;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 8.64e12) {
    throw malformed(`${name} is no time in whole seconds`);
  }
  return new Date(value * 1000);
}

function objectAt(value: unknown, name: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw malformed(`${name} is no object`);
}

function optionalObject(value: unknown, name: string): Json {
  return value === undefined ? {} : objectAt(value, name);
}

const textAt = (top: Json, name: string): string => text(top[name], name);

function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= 2000) return value;
  throw malformed(`${name} is no text of 1 to 2000 characters`);
}

/** One value, a list of values, or nothing. */
function listOf(value: unknown, most: number, name: string): readonly unknown[] {
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (list.length > most) throw malformed(`${name} has ${list.length} entries`);
  return list;
}

export function malformed(what: string, cause?: unknown): EarError {
  return new EarError('EAR_MALFORMED', `this is no EAT attestation result: ${what}`, {
    cause,
    nextStep: 'fetch it again from the verifier: it is one line of three parts with dots between',
  });
}

const quoted = (value: string): string => JSON.stringify(value.slice(0, 100));
