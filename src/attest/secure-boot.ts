/**
 * Secure Boot from register 7 (PFP §3.3.4.8): first the variables SecureBoot, PK, KEK, db, dbx, then the separator, then
 * the authorities that were used. Event types are not covered by digests, so the order and every event are fixed here:
 * an event that hides behind another type would have to be an unexpected one.
 */
import type { DecodedEvent } from './event-log/decode.ts';
import { EventType, eventTypeName } from './event-log/event-types.ts';
import type { Failure } from './ledger.ts';

const SECURE_BOOT_PCR = 7;
const EFI_GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const IMAGE_SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const REQUIRED = ['SecureBoot', 'PK', 'KEK', 'db', 'dbx'] as const;
const OPTIONAL = ['dbt', 'dbr', 'AuditMode', 'DeployedMode'] as const;
const OFF_REMEDY = 'Switch Secure Boot on in the firmware setup, then start from the stick again.';

/** Null when Secure Boot was on, in user mode, and nothing in register 7 is unclear. */
export function secureBootFailure(events: readonly DecodedEvent[]): Failure | null {
  const measured = events.filter(({ event }) => event.pcr === SECURE_BOOT_PCR && event.type !== EventType.NO_ACTION);
  const separatorAt = measured.findIndex(({ event }) => event.type === EventType.SEPARATOR);
  const variables = new Map<string, Uint8Array>();
  for (const decoded of measured.slice(0, separatorAt)) {
    const { event, detail, trust } = decoded;
    if (event.type !== EventType.EFI_VARIABLE_DRIVER_CONFIG || trust !== 'bound' || detail.kind !== 'variable') {
      return unproven(
        `event ${event.number} (${eventTypeName(event.type)}) before the separator is not a proven variable`,
      );
    }
    const { guid, name, value } = detail.variable;
    if (variables.size === 0 && name !== 'SecureBoot') return unproven(`the first variable is ${name}, not SecureBoot`);
    const known = [...REQUIRED, ...OPTIONAL].some((each) => each === name);
    if (!known || (guid !== EFI_GLOBAL && guid !== IMAGE_SECURITY))
      return unproven(`the variable ${name} is not known`);
    if (variables.has(name)) return unproven(`the variable ${name} is measured twice`);
    variables.set(name, value);
  }
  const missing = REQUIRED.find((name) => !variables.has(name));
  if (missing !== undefined) return unproven(`the variable ${missing} was not measured`);
  const state = variables.get('SecureBoot');
  if (state?.length !== 1 || state[0] !== 1) {
    return {
      code: 'SECURE_BOOT_OFF',
      family: 'policy',
      sentence: 'Secure Boot was off when this machine started.',
      remedy: OFF_REMEDY,
      difference: { component: 'Secure Boot', expected: 'on', actual: 'off' },
    };
  }
  if (variables.get('PK')?.length === 0) {
    return {
      code: 'SECURE_BOOT_SETUP_MODE',
      family: 'policy',
      sentence: 'The firmware has no platform key: anybody may change its Secure Boot keys.',
      remedy: OFF_REMEDY,
    };
  }
  const stray = measured
    .slice(separatorAt + 1)
    .find(({ event, trust }) => event.type !== EventType.EFI_VARIABLE_AUTHORITY || trust !== 'bound');
  if (stray === undefined) return null;
  return unproven(
    `event ${stray.event.number} (${eventTypeName(stray.event.type)}) behind the separator is not a proven authority`,
  );
}

function unproven(reason: string): Failure {
  return {
    code: 'SECURE_BOOT_UNPROVEN',
    family: 'false',
    sentence: `Register 7 does not prove the state of Secure Boot: ${reason}.`,
    remedy: OFF_REMEDY,
  };
}
