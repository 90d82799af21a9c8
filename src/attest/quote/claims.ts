/** The machine's claims about itself: strict JSON, and part of what the quote is made over. */
import { CodedError } from '../../shared/errors.ts';
import { CONFIGURATION_SOURCES, type MachineClaims } from '../evidence.ts';
import { hex, integer, object, oneOf, readJson, text } from '../strict-json.ts';

/** More than any machine says; what is longer is not read. */
export const MAX_CLAIMS_BYTES = 8192;

export class ClaimsError extends CodedError<'CLAIMS_MALFORMED'> {}

const said = {
  clientVersion: text(100),
  challenge: hex(32),
  accelerator: object({ name: oneOf(['kvm', 'kqemu', 'tcg', 'unknown']), reason: text(500) }),
  cpuModel: text(200),
  memoryBytes: integer(0),
  secureBoot: oneOf([true, false, null]),
  bootMode: oneOf(['uefi', 'bios']),
  uptimeMs: integer(0),
};
const claimsShape = object(said, { configurationSource: oneOf(CONFIGURATION_SOURCES) });

/** The bytes that go into `Evidence.claims`. @throws ClaimsError when a value is not one the reader would take back */
export function encodeClaims(claims: MachineClaims): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  parseClaims(bytes);
  return bytes;
}

/** @throws ClaimsError */
export function parseClaims(bytes: Uint8Array): MachineClaims {
  try {
    return readJson(bytes, claimsShape, 'claims');
  } catch (cause) {
    throw new ClaimsError('CLAIMS_MALFORMED', 'the claims are not what a machine of ours states', { cause });
  }
}
