/**
 * What the relying party accepts of a genuine machine, in two levels: firmware registers by rule, our own chain exactly
 * by reference values. A policy file states every field: nothing is accepted by default, and a misspelt rule is refused.
 */
import { CodedError } from '../../shared/errors.ts';
import { AUTHORITY_NAMES, type AuthorityName } from '../boot/firmware-authorities.ts';
import { DBX_RELEASES, type DbxRelease } from '../boot/firmware-revocations.ts';
import { WORKAROUND_NAMES, type WorkaroundName } from '../boot/firmware-workaround-names.ts';
import type { HashName } from '../crypto/crypto.ts';
import type { TpmClass } from '../evidence.ts';
import { array, hex, integer, object, oneOf, type Reader, readJson, ShapeError } from '../strict-json.ts';

export class PolicyError extends CodedError<'POLICY_MALFORMED'> {}

/** Banks a quote may be made over. SHA-1 is none of them: whoever can make two images collide would choose which one ran. */
export type PolicyBank = Exclude<HashName, 'sha1'>;

export interface Policy {
  /** `software` and `unknown` promise next to nothing; they are accepted only where they are named. */
  readonly acceptedTpmClasses: readonly TpmClass[];
  /** The machine must have booted with UEFI Secure Boot. Stated, not optional: without it lockdown is off. */
  readonly requireSecureBoot: true;
  /** The registers the quote must cover in each bank, ascending. */
  readonly pcrs: readonly number[];
  /** The banks the quote must cover, all of which must pass. `sha256` is always one: reference values are in it. */
  readonly banks: readonly PolicyBank[];
  /** Known oddities of firmware that may be overlooked; each one that was is named in the verdict. */
  readonly firmwareWorkarounds: readonly WorkaroundName[];
  readonly secureBoot: SecureBootPolicy;
  readonly clock: ClockPolicy;
  /** Images for developers, which let whoever sits at the machine in. */
  readonly debugImages: 'accept' | 'refuse';
}

/** What to do about a TPM that does not simply go on from where it was last seen. */
export interface ClockPolicy {
  /** It lost power without an orderly shutdown. */
  readonly unsafe: 'accept' | 'refuse';
  /** A counter is lower than before: the TPM was cleared, or an old state of it was put back. */
  readonly backwards: 'accept' | 'refuse';
  /** Its firmware is older than before. */
  readonly firmwareRollback: 'accept' | 'refuse';
}

export interface SecureBootPolicy {
  /**
   * Certificates that may have verified what was started: names of `firmware-authorities.ts`, or the SHA-256 of the
   * certificate in hex. `any`: each one that the machine's own db, or our shim, vouches for.
   */
  readonly allowedAuthorities: 'any' | readonly (AuthorityName | string)[];
  readonly dbx: {
    /** How many hashes and certificates the revocation list must hold at least; 0: may be empty. */
    readonly minimumEntries: number;
    /** Image hashes (Authenticode SHA-256, hex) that must be revoked. */
    readonly requiredHashes: readonly string[];
    /** The list must revoke what this release of it does; null: any age. */
    readonly notOlderThan: DbxRelease | null;
  };
  /** What else the firmware measured into register 7: refuse it, or list it as unknown in the verdict. */
  readonly unknownVariables: 'refuse' | 'list';
}

export const TPM_CLASSES = ['hardware', 'firmware', 'cloud', 'software', 'unknown'] as const;
export const POLICY_BANKS = ['sha256', 'sha384', 'sha512'] as const satisfies readonly PolicyBank[];

const register: Reader<number> = oneOf(Array.from({ length: 24 }, (_, index) => index));

const authorities: Reader<SecureBootPolicy['allowedAuthorities']> = (value, path) => {
  if (value === 'any') return 'any';
  if (typeof value === 'string') throw new ShapeError('JSON_SHAPE', `${path} must be "any" or a list of authorities`);
  return array(authority, { min: 1, max: 100 })(value, path);
};

const authority: Reader<string> = (value, path) => {
  if (typeof value === 'string' && (/^[0-9a-f]{64}$/.test(value) || AUTHORITY_NAMES.some((name) => name === value))) {
    return value;
  }
  const known = AUTHORITY_NAMES.map((name) => JSON.stringify(name)).join(', ');
  throw new ShapeError('JSON_SHAPE', `${path} must be a SHA-256 of a certificate in hex, or one of ${known}`);
};

const policyShape = object({
  acceptedTpmClasses: distinct(array(oneOf(TPM_CLASSES), { min: 1, max: TPM_CLASSES.length })),
  requireSecureBoot: oneOf([true]),
  pcrs: distinct(array(register, { min: 1, max: 24 })),
  banks: distinct(array(oneOf(POLICY_BANKS), { min: 1, max: POLICY_BANKS.length })),
  firmwareWorkarounds: distinct(array(oneOf(WORKAROUND_NAMES), { max: WORKAROUND_NAMES.length })),
  secureBoot: object({
    allowedAuthorities: authorities,
    dbx: object({
      minimumEntries: integer(0, 100_000),
      requiredHashes: array(hex(32), { max: 1000 }),
      notOlderThan: oneOf([null, ...DBX_RELEASES]),
    }),
    unknownVariables: oneOf(['refuse', 'list']),
  }),
  clock: object({
    unsafe: oneOf(['accept', 'refuse']),
    backwards: oneOf(['accept', 'refuse']),
    firmwareRollback: oneOf(['accept', 'refuse']),
  }),
  debugImages: oneOf(['accept', 'refuse']),
});

/** A policy file (UTF-8 JSON). Every field is required and no other is known. @throws PolicyError naming the field */
export function parsePolicy(json: Uint8Array | string): Policy {
  try {
    const policy = readJson(json, policyShape, 'policy');
    const problem = policyProblem(policy);
    if (problem !== null) throw new ShapeError('JSON_SHAPE', problem);
    return policy;
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw new PolicyError('POLICY_MALFORMED', `this is not a policy${reason}`, {
      cause,
      nextStep: 'write every field, and no other; docs/policy.md shows a whole one',
    });
  }
}

/** What the types cannot say. Null when the policy is usable. */
export function policyProblem(policy: Policy): string | null {
  const descending = policy.pcrs.find((pcr, index) => index > 0 && pcr <= (policy.pcrs[index - 1] ?? pcr));
  if (descending !== undefined) return `policy.pcrs must be ascending, ${descending} is not`;
  if (!policy.banks.includes('sha256')) return 'policy.banks must hold "sha256", the bank of the reference values';
  return null;
}

function distinct<T>(reader: Reader<readonly T[]>): Reader<readonly T[]> {
  return (value, path) => {
    const list = reader(value, path);
    const again = list.findIndex((each, index) => list.indexOf(each) !== index);
    if (again === -1) return list;
    throw new ShapeError('JSON_SHAPE', `${path}[${again}] is ${JSON.stringify(list[again])} for the second time`);
  };
}
