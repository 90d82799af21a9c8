/**
 * What stands before the separator of register 7: the variables SecureBoot, PK, KEK, db, dbx in this order, a few that may
 * join them, and what a firmware adds of its own. Each must be proven by its digest and measured once.
 */
import type { DecodedEvent } from '../event-log/decode.ts';
import { OLD_SHIM_SURPLUS, readEfiVariable } from '../event-log/efi-data.ts';
import { EventType, eventTypeName } from '../event-log/event-types.ts';
import { LogError } from '../event-log/little-endian.ts';
import type { Failure } from '../ledger.ts';
import type { SecureBootPolicy } from '../policy/policy.ts';
import { ACTION } from './firmware-actions.ts';
import type { WorkaroundName } from './firmware-workaround-names.ts';

export const EFI_GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
export const IMAGE_SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';

export const SHIM_LOCK = '605dab50-e046-4300-abb6-3dd810dd8b23';
const OWNERS: readonly string[] = [EFI_GLOBAL, IMAGE_SECURITY, SHIM_LOCK];
const SEPARATOR_BYTES = 4;
/** Ten are the most seen; names that are not known go into the verdict. */
const MAX_EVENTS = 100;
const MAX_NAME = 60;

const REQUIRED = ['SecureBoot', 'PK', 'KEK', 'db', 'dbx'] as const;
const OPTIONAL = ['dbt', 'dbr', 'AuditMode', 'DeployedMode', 'SetupMode'] as const;
const IN_IMAGE_SECURITY: readonly string[] = ['db', 'dbx', 'dbt', 'dbr'];
const REMEDY = 'Switch Secure Boot on in the firmware setup, then start from the stick again.';

export type Variables = { readonly [name in (typeof REQUIRED)[number]]: Uint8Array };

interface Read {
  readonly variables: Variables;
  /** Proven, and not known: one sentence each. */
  readonly unknowns: string[];
}

interface Expectation {
  readonly policy: Pick<SecureBootPolicy, 'unknownVariables'>;
  readonly overlooked: readonly WorkaroundName[];
}

export function readSecureBootVariables(
  events: readonly DecodedEvent[],
  { policy, overlooked }: Expectation,
): Read | { readonly failure: Failure } {
  if (events.length > MAX_EVENTS) {
    return unproven(`${events.length} events before the separator, at most ${MAX_EVENTS} are judged`);
  }
  const values = new Map<string, Uint8Array>();
  const unknowns: string[] = [];
  for (const decoded of events) {
    const { event, detail } = decoded;
    const title = `event ${event.number} (${eventTypeName(event.type)})`;
    const isVariable = event.type === EventType.EFI_VARIABLE_DRIVER_CONFIG && detail.kind === 'variable';
    if (decoded.boundBy !== 'data') return unproven(`${title} before the separator is not a proven variable`);
    if (isVariable && isKnown(detail.variable)) {
      const { name, value } = detail.variable;
      if (values.size === 0 && name !== 'SecureBoot') return unproven(`the first variable is ${name}, not SecureBoot`);
      if (values.has(name)) return unproven(`the variable ${name} is measured twice`);
      const next = REQUIRED.find((each) => !values.has(each));
      if (REQUIRED.some((each) => each === name) && name !== next) {
        return unproven(`the variable ${name} is measured before ${next}`);
      }
      values.set(name, value);
      continue;
    }
    const oddity = oddityOf(decoded);
    if (oddity !== null && overlooked.includes(oddity)) continue;
    if (oddity !== null) return { failure: refusedOddity(oddity, title) };
    if (policy.unknownVariables === 'refuse' || (!isVariable && isDisguised(event.data))) {
      const what = isVariable
        ? `the variable ${JSON.stringify(detail.variable.name.slice(0, MAX_NAME))} is not known`
        : undefined;
      return unproven(what ?? `${title} before the separator is not a proven variable`);
    }
    unknowns.push(
      isVariable
        ? `variable ${JSON.stringify(detail.variable.name.slice(0, MAX_NAME))} (${detail.variable.guid}), ${title}`
        : title,
    );
  }
  const [SecureBoot, PK, KEK, db, dbx] = REQUIRED.map((name) => values.get(name));
  if (SecureBoot !== undefined && PK !== undefined && KEK !== undefined && db !== undefined && dbx !== undefined) {
    return { variables: { SecureBoot, PK, KEK, db, dbx }, unknowns };
  }
  return unproven(`the variable ${REQUIRED.find((name) => !values.has(name))} was not measured`);
}

function isKnown({ guid, name }: { readonly guid: string; readonly name: string }): boolean {
  const isListed = [...REQUIRED, ...OPTIONAL].some((each) => each === name);
  return isListed && guid === (IN_IMAGE_SECURITY.includes(name) ? IMAGE_SECURITY : EFI_GLOBAL);
}

/**
 * A variable or a separator under another type: it would let true events pass for unknown ones, and made-up ones for
 * them. `data` is proven.
 */
export function isDisguised(data: Uint8Array): boolean {
  if (data.length === SEPARATOR_BYTES) return true;
  try {
    return OWNERS.includes(readEfiVariable(data, OLD_SHIM_SURPLUS).guid);
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

/** The data is bound to the digest, so it is the text, whatever the event's type. */
function oddityOf({ event }: DecodedEvent): WorkaroundName | null {
  if (event.data.length > 64) return null;
  const text = String.fromCharCode(...event.data);
  if (text === ACTION.dmaProtectionDisabled) return 'dma-protection-disabled';
  return text === ACTION.debugMode ? 'uefi-debug-mode' : null;
}

function refusedOddity(name: WorkaroundName, title: string): Failure {
  const text = name === 'uefi-debug-mode' ? ACTION.debugMode : ACTION.dmaProtectionDisabled;
  return {
    code: 'FIRMWARE_WORKAROUND_REFUSED',
    family: 'policy',
    sentence: `The firmware says "${text}" in register 7 (${title}), and the policy does not overlook that.`,
    remedy:
      name === 'uefi-debug-mode'
        ? 'Switch debugging off in the firmware setup; a machine under a debugger proves nothing.'
        : `Switch DMA protection on in the firmware setup, or name "${name}" in the policy's firmwareWorkarounds.`,
  };
}

function unproven(reason: string): { readonly failure: Failure } {
  return {
    failure: {
      code: 'SECURE_BOOT_UNPROVEN',
      family: 'false',
      sentence: `Register 7 does not prove the state of Secure Boot: ${reason}.`,
      remedy: REMEDY,
    },
  };
}
