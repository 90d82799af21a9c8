/**
 * Where register 0 starts. TPM2_Startup from locality 3 leaves 3 in its last byte; an H-CRTM, which measures before
 * TPM2_Startup, leaves 4 whatever locality that comes from (TPM 2.0 Part 1, H-CRTM; PFP 1.06 §10.4.5.3).
 */
import { EventType } from './event-types.ts';
import { LogError } from './little-endian.ts';
import { startsWithText } from './text.ts';
import type { UntrustedEvent } from './untrusted-event.ts';
import type { Workaround } from './workarounds.ts';

const SIGNATURE = 'StartupLocality\0';
const EVENT_BYTES = SIGNATURE.length + 1;
const H_CRTM_LOCALITY = 4;

/** At most one StartupLocality event, for register 0, before anything extends that register. @throws LogError */
export function startupLocality(
  events: readonly UntrustedEvent[],
  allowed: readonly Workaround[],
  used: Workaround[],
): number {
  let stated: number | undefined;
  let firstExtend: UntrustedEvent | undefined;
  for (const event of events) {
    if (event.type !== EventType.NO_ACTION) {
      if (event.pcr === 0) firstExtend ??= event;
    } else if (startsWithText(event.data, SIGNATURE)) {
      const value = event.data[SIGNATURE.length];
      const padded = isPadded(event.data) && allowed.includes('startup-locality-padded');
      if (event.pcr !== 0 || !(event.data.length === EVENT_BYTES || padded) || firstExtend || stated !== undefined) {
        throw new LogError(
          'LOG_STARTUP_LOCALITY_BAD',
          `event ${event.number} states a start-up locality for register ${event.pcr} in ${event.data.length} bytes: must be one, 17 bytes, first for register 0`,
        );
      }
      if (value !== 0 && value !== 3 && value !== H_CRTM_LOCALITY) {
        throw new LogError('LOG_STARTUP_LOCALITY_BAD', `event ${event.number} states start-up locality ${value}`);
      }
      if (padded) used.push('startup-locality-padded');
      stated = value;
    }
  }
  return firstExtend?.type === EventType.EFI_HCRTM_EVENT ? H_CRTM_LOCALITY : (stated ?? 0);
}

function isPadded(data: Uint8Array): boolean {
  return data.length > EVENT_BYTES && data.subarray(EVENT_BYTES).every((byte) => byte === 0);
}
