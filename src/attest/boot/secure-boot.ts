/**
 * Secure Boot from register 7 (PFP §3.3.4.8): first the variables SecureBoot, PK, KEK, db, dbx, then the separator, then
 * the authorities that were used. Event types are not covered by digests, so the order and every event are fixed here:
 * an event that hides behind another type would have to be an unexpected one.
 */
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { EventType, eventTypeName } from '../event-log/event-types.ts';
import type { Failure } from '../ledger.ts';
import type { SecureBootPolicy } from '../policy/policy.ts';
import type { FirmwareVerdict } from '../verdict.ts';
import { authorityFingerprint } from './firmware-authorities.ts';
import { type FirmwareKeys, revocationsIn } from './firmware-keys.ts';
import { DBX_RELEASES, type DbxRelease } from './firmware-revocations.ts';
import type { WorkaroundName } from './firmware-workaround-names.ts';
import { type Authority, authorityOf } from './secure-boot-authority.ts';
import { isDisguised, readSecureBootVariables, type Variables } from './secure-boot-variables.ts';

export interface SecureBootExpectation {
  readonly policy: SecureBootPolicy;
  /** What the policy overlooks. */
  readonly overlooked: readonly WorkaroundName[];
  readonly firmwareKeys: FirmwareKeys;
}

export interface SecureBootJudgement {
  /** Null when Secure Boot was on, in user mode, by keys that the policy allows, and nothing in register 7 is unclear. */
  readonly failure: Failure | null;
  readonly firmware: FirmwareVerdict;
}

const SECURE_BOOT_PCR = 7;
/** Six are the most seen. Each is looked for in all of db: without a bound that costs the square of the log. */
const MAX_BEHIND = 100;
const OFF_REMEDY = 'Switch Secure Boot on in the firmware setup, then start from the stick again.';

const UNPROVEN: FirmwareVerdict = {
  secureBoot: {
    state: 'unproven',
    platformKeys: [],
    keyExchangeKeys: [],
    db: [],
    dbx: { hashes: 0, certificates: 0, release: null },
    authorities: [],
  },
  unknowns: [],
};

/** `events` are proven by replay; register 7 has a separator. */
export function judgeSecureBoot(
  events: readonly DecodedEvent[],
  expectation: SecureBootExpectation,
  crypto: Pick<AttestCrypto, 'hash'>,
): SecureBootJudgement {
  const measured = events.filter(({ event }) => event.pcr === SECURE_BOOT_PCR && event.type !== EventType.NO_ACTION);
  const separatorAt = measured.findIndex(({ event }) => event.type === EventType.SEPARATOR);
  const read = readSecureBootVariables(measured.slice(0, separatorAt), expectation);
  if ('failure' in read) return { failure: read.failure, firmware: UNPROVEN };

  const { variables, unknowns } = read;
  const authorities: Authority[] = [];
  const behind = measured.slice(separatorAt + 1);
  if (behind.length > MAX_BEHIND) {
    return {
      failure: unproven(`${behind.length} events behind the separator, at most ${MAX_BEHIND} are judged`),
      firmware: UNPROVEN,
    };
  }
  for (const decoded of behind) {
    const authority = authorityOf(decoded, variables.db, crypto);
    if (authority === 'separator' || authority === 'state-of-shim') continue;
    if (authority !== 'unknown') {
      authorities.push(authority);
    } else if (expectation.policy.unknownVariables === 'list' && isListable(decoded)) {
      unknowns.push(`event ${decoded.event.number} (${eventTypeName(decoded.event.type)}) behind the separator`);
    } else {
      const title = `event ${decoded.event.number} (${eventTypeName(decoded.event.type)})`;
      return { failure: unproven(`${title} behind the separator is not a proven authority`), firmware: UNPROVEN };
    }
  }
  return judgeKeys(variables, authorities, unknowns, expectation);
}

/** What the policy wants listed: proven, and no authority under another type. */
function isListable({ event, boundBy }: DecodedEvent): boolean {
  return boundBy === 'data' && (event.type === EventType.EFI_VARIABLE_AUTHORITY || !isDisguised(event.data));
}

function judgeKeys(
  variables: Variables,
  authorities: readonly Authority[],
  unknowns: readonly string[],
  { policy, firmwareKeys }: SecureBootExpectation,
): SecureBootJudgement {
  const platformKeys = firmwareKeys(variables.PK);
  const keyExchangeKeys = firmwareKeys(variables.KEK);
  const db = firmwareKeys(variables.db);
  const dbx = revocationsIn(variables.dbx, policy.dbx.requiredHashes);
  if (platformKeys === null || keyExchangeKeys === null || db === null || dbx === null) {
    return { failure: unproven('PK, KEK, db or dbx is no list of signatures'), firmware: UNPROVEN };
  }
  const isOn = variables.SecureBoot.length === 1 && variables.SecureBoot[0] === 1;
  const state = !isOn ? 'off' : variables.PK.length === 0 ? 'setup-mode' : 'on';
  const { hashes, certificates, release } = dbx;
  const firmware: FirmwareVerdict = {
    secureBoot: { state, platformKeys, keyExchangeKeys, db, dbx: { hashes, certificates, release }, authorities },
    unknowns,
  };
  const failure = stateFailure(state) ?? authorityFailure(authorities, policy) ?? revocationFailure(dbx, policy.dbx);
  return { failure, firmware };
}

function stateFailure(state: 'on' | 'off' | 'setup-mode'): Failure | null {
  if (state === 'on') return null;
  if (state === 'off') {
    return {
      code: 'SECURE_BOOT_OFF',
      family: 'policy',
      sentence: 'Secure Boot was off when this machine started.',
      remedy: OFF_REMEDY,
      difference: { component: 'Secure Boot', expected: 'on', actual: 'off' },
    };
  }
  return {
    code: 'SECURE_BOOT_SETUP_MODE',
    family: 'policy',
    sentence: 'The firmware has no platform key: anybody may change its Secure Boot keys.',
    remedy: OFF_REMEDY,
  };
}

/** The firmware itself must have verified something, by a key of its db; nobody else's word starts the chain. */
function authorityFailure(authorities: readonly Authority[], policy: SecureBootPolicy): Failure | null {
  const stranger = authorities.find(({ vouchedBy }) => vouchedBy === 'nobody');
  if (stranger !== undefined) {
    return {
      code: 'SECURE_BOOT_AUTHORITY_UNKNOWN',
      family: 'false',
      sentence: `Something was started on the word of ${titleOf(stranger)}, which is not in this machine's db.`,
      remedy: 'Restart the machine; if it stays, its firmware or its log is broken: do not trust it.',
    };
  }
  if (!authorities.some(({ vouchedBy }) => vouchedBy === 'db')) {
    return unproven('no authority of its db verified what was started');
  }
  if (policy.allowedAuthorities === 'any') return null;
  const allowed = new Set(policy.allowedAuthorities.map(authorityFingerprint));
  const refused = authorities.find(({ sha256 }) => !allowed.has(sha256));
  if (refused === undefined) return null;
  return {
    code: 'SECURE_BOOT_AUTHORITY_REFUSED',
    family: 'policy',
    sentence: `Something was started on the word of ${titleOf(refused)}, which the policy does not allow.`,
    remedy: "Name it in the policy's secureBoot.allowedAuthorities, if you know whose key it is.",
    difference: {
      component: 'Secure Boot authority',
      expected: policy.allowedAuthorities.join(', '),
      actual: titleOf(refused),
    },
  };
}

function revocationFailure(
  dbx: NonNullable<ReturnType<typeof revocationsIn>>,
  { minimumEntries, notOlderThan }: SecureBootPolicy['dbx'],
): Failure | null {
  const entries = dbx.hashes + dbx.certificates;
  const age = (release: DbxRelease | null): number => (release === null ? -1 : DBX_RELEASES.indexOf(release));
  const problem =
    entries < minimumEntries
      ? { expected: `at least ${minimumEntries} entries`, actual: `${entries} entries` }
      : dbx.lacking !== null
        ? { expected: `${dbx.lacking} revoked`, actual: 'not revoked' }
        : age(dbx.release) < age(notOlderThan)
          ? {
              expected: `the release of ${notOlderThan} or newer`,
              actual: dbx.release ?? 'older than any release known',
            }
          : null;
  if (problem === null) return null;
  return {
    code: 'DBX_TOO_OLD',
    family: 'policy',
    sentence: `The machine's list of revoked boot programs (dbx) is too old: expected ${problem.expected}, got ${problem.actual}.`,
    remedy: 'Update it: fwupdmgr update on Linux, Windows Update, or the firmware of the maker.',
    difference: { component: 'dbx', ...problem },
  };
}

const titleOf = ({ name, sha256 }: Authority): string => name ?? `the key ${sha256}`;

function unproven(reason: string): Failure {
  return {
    code: 'SECURE_BOOT_UNPROVEN',
    family: 'false',
    sentence: `Register 7 does not prove the state of Secure Boot: ${reason}.`,
    remedy: OFF_REMEDY,
  };
}
