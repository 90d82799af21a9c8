/**
 * TPMS_CAPABILITY_DATA, Part 2 §10.10: what a TPM says of itself. Algorithms, curves and attributes stay numbers here: a
 * newer TPM may rightly name ones that this package has not heard of.
 */
import { list, oneOf, u16, u32, type Value } from './codec.ts';
import { CAPABILITY } from './constants.ts';
import { taggedDigestOrNull } from './digest-list.ts';
import { pcrBits, pcrSelections } from './pcr-selection.ts';
import { struct, tagged } from './struct.ts';

/** More than fits into a 4096-byte response. */
const MAX_ELEMENTS = 1024;
const commands = struct({ commands: list(u32, u32, MAX_ELEMENTS) });

/** TPMS_TAGGED_POLICY, §10.8.5: the policy of a hierarchy, if it has one. */
const taggedPolicy = struct({ handle: u32, policy: taggedDigestOrNull });
/** TPMS_ACT_DATA, §10.8.6: an authenticated countdown timer. `timeout` is seconds; bit 0 of `attributes`: it has run out. */
const actData = struct({ handle: u32, timeout: u32, attributes: u32 });

export const capabilityData = tagged({ capability: oneOf(u32, CAPABILITY) }, 'capability', {
  /** TPMA_ALGORITHM each: `algorithmAttributes` takes one apart. */
  algorithms: struct({ algorithms: list(u32, struct({ algorithm: u16, attributes: u32 }), MAX_ELEMENTS) }),
  handles: struct({ handles: list(u32, u32, MAX_ELEMENTS) }),
  /** TPMA_CC each: `commandAttributes` takes one apart. */
  commands,
  ppCommands: commands,
  auditCommands: commands,
  pcrs: struct({ pcrs: pcrSelections }),
  tpmProperties: struct({ properties: list(u32, struct({ property: u32, value: u32 }), MAX_ELEMENTS) }),
  pcrProperties: struct({ properties: list(u32, struct({ tag: u32, pcrs: pcrBits }), MAX_ELEMENTS) }),
  eccCurves: struct({ curves: list(u32, u16, MAX_ELEMENTS) }),
  authPolicies: struct({ policies: list(u32, taggedPolicy, MAX_ELEMENTS) }),
  acts: struct({ acts: list(u32, actData, MAX_ELEMENTS) }),
});
export type CapabilityData = Value<typeof capabilityData>;

/** TPMA_ALGORITHM, §8.2; what it may say beyond these is passed over. */
export function algorithmAttributes(value: number) {
  const bit = (position: number) => ((value >>> position) & 1) === 1;
  return {
    asymmetric: bit(0),
    symmetric: bit(1),
    hash: bit(2),
    object: bit(3),
    signing: bit(8),
    encrypting: bit(9),
    method: bit(10),
  };
}

export interface CommandAttributes {
  /** TPM_CC, with the vendor bit (29) where it is a vendor's command. */
  readonly code: number;
  /** May write NV. */
  readonly nv: boolean;
  /** May flush any number of contexts. */
  readonly extensive: boolean;
  /** Flushes what it was given. */
  readonly flushed: boolean;
  /** How many handles the command carries, 0 to 7. */
  readonly commandHandles: number;
  readonly responseHandle: boolean;
}

/** TPMA_CC, §8.9. */
export function commandAttributes(value: number): CommandAttributes {
  const bit = (position: number) => ((value >>> position) & 1) === 1;
  return {
    code: value & 0x2000_ffff,
    nv: bit(22),
    extensive: bit(23),
    flushed: bit(24),
    commandHandles: (value >>> 25) & 7,
    responseHandle: bit(28),
  };
}
