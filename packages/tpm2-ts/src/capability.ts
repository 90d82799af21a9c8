/**
 * TPMS_CAPABILITY_DATA, Part 2 §10.10: what a TPM says of itself. Algorithms and curves stay numbers here: a newer TPM
 * may rightly name ones that this package has not heard of.
 */
import { list, oneOf, u16, u32, type Value } from './codec.ts';
import { CAPABILITY } from './constants.ts';
import { pcrBits, pcrSelections } from './pcr-selection.ts';
import { struct, tagged } from './struct.ts';

/** More than fits into a 4096-byte response. */
const MAX_ELEMENTS = 1024;
const commands = struct({ commands: list(u32, u32, MAX_ELEMENTS) });

export const capabilityData = tagged({ capability: oneOf(u32, CAPABILITY) }, 'capability', {
  algorithms: struct({ algorithms: list(u32, struct({ algorithm: u16, attributes: u32 }), MAX_ELEMENTS) }),
  handles: struct({ handles: list(u32, u32, MAX_ELEMENTS) }),
  /** TPMA_CC each: the command code is in the low 16 bits. */
  commands,
  ppCommands: commands,
  auditCommands: commands,
  pcrs: struct({ pcrs: pcrSelections }),
  tpmProperties: struct({ properties: list(u32, struct({ property: u32, value: u32 }), MAX_ELEMENTS) }),
  pcrProperties: struct({ properties: list(u32, struct({ tag: u32, pcrs: pcrBits }), MAX_ELEMENTS) }),
  eccCurves: struct({ curves: list(u32, u16, MAX_ELEMENTS) }),
});
export type CapabilityData = Value<typeof capabilityData>;
