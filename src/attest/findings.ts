/** What an appraisal has proven so far, stage by stage. */

import type { UsedWorkaround } from './boot/firmware-workaround-names.ts';
import type { TpmIdentity } from './endorsement/ek.ts';
import type { DecodedEvent } from './event-log/decode.ts';
import type { MachineClaims } from './evidence.ts';
import type { Difference } from './image/own-chain.ts';
import type { ReferenceValues } from './image/reference-values.ts';
import type { QuoteClock } from './quote/quote-clock.ts';
import type { BankVerdict, FirmwareVerdict } from './verdict.ts';

/** Null for what was not reached. */
export interface Findings {
  readonly tpm: TpmIdentity;
  readonly clock: QuoteClock | null;
  readonly claims: MachineClaims | null;
  readonly pcrs: ReadonlyMap<number, Uint8Array> | null;
  readonly events: readonly DecodedEvent[] | null;
  readonly reference: ReferenceValues | null;
  readonly differences: readonly Difference[];
  readonly banks: readonly BankVerdict[];
  readonly firmware: FirmwareVerdict | null;
  readonly workarounds: readonly UsedWorkaround[];
}
