/** Response codes, Part 2 §6.6: a number becomes a name, a meaning, and the handle, parameter or session it is about. */

export interface ResponseCode {
  readonly rc: number;
  /** `TPM_RC_VALUE`; `TPM_RC_0x…` for a code without a name here. */
  readonly name: string;
  readonly meaning: string;
  /** `handle 1`, `parameter 2`, `session 1`; null where the code names none. */
  readonly position: string | null;
}

/** The TPM answered, and the answer is no. */
export class TpmResponseError extends Error implements ResponseCode {
  readonly code = 'TPM_REFUSED';
  readonly nextStep: string | undefined = undefined;
  readonly command: string;
  readonly rc: number;
  readonly position: string | null;
  readonly meaning: string;

  constructor(command: string, response: ResponseCode) {
    const about = response.position === null ? '' : `, ${response.position}`;
    super(`${command}: ${response.meaning} (${response.name}${about}, 0x${response.rc.toString(16)})`);
    this.name = response.name;
    this.command = command;
    this.rc = response.rc;
    this.position = response.position;
    this.meaning = response.meaning;
  }
}

/** Answers that mean "send the same command again", §6.6.3. */
export const RC_BUSY: readonly number[] = [0x922 /* RETRY */, 0x908 /* YIELDED */, 0x90a /* TESTING */];
export const RC_INITIALIZE = 0x100;
/** Dictionary attack protection, §6.6.3; lockout.ts says more. */
export const RC_LOCKOUT = 0x921;

export function describeResponseCode(rc: number): ResponseCode {
  const layer = rc >>> 16;
  if (layer !== 0) {
    const inner = describeResponseCode(rc & 0xffff);
    return { ...inner, rc, meaning: `${inner.meaning}, said by ${LAYERS[layer] ?? `software layer ${layer}`}` };
  }
  if ((rc & 0x80) !== 0) return describeFormatOne(rc);
  if ((rc & 0x100) === 0) {
    return { rc, name: rcName('BAD_TAG', rc === 0x01e, rc), meaning: 'a TPM 1.2 response', position: null };
  }
  if ((rc & 0x400) !== 0) return { rc, name: 'TPM_RC_VENDOR', meaning: 'a vendor-specific refusal', position: null };
  const entry = (rc & 0x800) !== 0 ? WARNINGS[rc & 0x7f] : VERSION_ONE[rc & 0x7f];
  const [name, meaning] = entry ?? [undefined, 'an unnamed refusal'];
  return { rc, name: rcName(name ?? '', name !== undefined, rc), meaning, position: null };
}

/** Bits 0–5 the error, bit 6 says parameter, bits 8–11 its number; without bit 6, 1–7 are handles and 8–15 sessions. */
function describeFormatOne(rc: number): ResponseCode {
  const number = (rc >> 8) & 0xf;
  const [name, meaning] = FORMAT_ONE[rc & 0x3f] ?? [undefined, 'an unnamed refusal'];
  return { rc, name: rcName(name ?? '', name !== undefined, rc), meaning, position: positionOf(number, rc) };
}

function positionOf(number: number, rc: number): string | null {
  if ((rc & 0x40) !== 0) return number === 0 ? null : `parameter ${number}`;
  if (number > 8) return `session ${number - 8}`;
  return number === 0 || number === 8 ? null : `handle ${number}`;
}

function rcName(name: string, known: boolean, rc: number): string {
  return known ? `TPM_RC_${name}` : `TPM_RC_0x${rc.toString(16)}`;
}

type Names = Readonly<Record<number, readonly [name: string, meaning: string]>>;

/** TSS2 layers, as the kernel's resource manager uses them. */
const LAYERS: Readonly<Record<number, string>> = { 11: 'the resource manager', 12: 'the resource manager' };

const FORMAT_ONE: Names = {
  1: ['ASYMMETRIC', 'asymmetric algorithm not supported or not correct'],
  2: ['ATTRIBUTES', 'inconsistent attributes'],
  3: ['HASH', 'hash algorithm not supported or not appropriate'],
  4: ['VALUE', 'value is out of range or not correct for the context'],
  5: ['HIERARCHY', 'hierarchy is not enabled or not correct for the use'],
  7: ['KEY_SIZE', 'key size is not supported'],
  8: ['MGF', 'mask generation function not supported'],
  9: ['MODE', 'mode of operation not supported'],
  10: ['TYPE', 'the type of the value is not appropriate for the use'],
  11: ['HANDLE', 'the handle is not correct for the use'],
  12: ['KDF', 'unsupported key derivation function or not appropriate for the use'],
  13: ['RANGE', 'value was out of allowed range'],
  14: ['AUTH_FAIL', 'the password or HMAC is wrong, and the failure was counted'],
  15: ['NONCE', 'invalid nonce size or nonce value mismatch'],
  16: ['PP', 'authorization requires physical presence'],
  18: ['SCHEME', 'unsupported or incompatible scheme'],
  21: ['SIZE', 'structure is the wrong size'],
  22: ['SYMMETRIC', 'unsupported symmetric algorithm or key size'],
  23: ['TAG', 'incorrect structure tag'],
  24: ['SELECTOR', 'union selector is incorrect'],
  26: ['INSUFFICIENT', 'the command ended too early'],
  27: ['SIGNATURE', 'the signature is not valid'],
  28: ['KEY', 'key fields are not compatible with the selected use'],
  29: ['POLICY_FAIL', 'a policy check failed'],
  31: ['INTEGRITY', 'integrity check failed'],
  32: ['TICKET', 'invalid ticket'],
  33: ['RESERVED_BITS', 'reserved bits are not zero'],
  34: ['BAD_AUTH', 'the password is wrong'],
  35: ['EXPIRED', 'the policy has expired'],
  36: ['POLICY_CC', 'the policy is for another command'],
  37: ['BINDING', 'public and sensitive parts do not belong together'],
  38: ['CURVE', 'curve not supported'],
  39: ['ECC_POINT', 'point is not on the curve'],
};

const VERSION_ONE: Names = {
  0: ['INITIALIZE', 'the TPM has not been started (TPM2_Startup), or was started already'],
  1: ['FAILURE', 'the TPM is in failure mode'],
  3: ['SEQUENCE', 'improper use of a sequence handle'],
  11: ['PRIVATE', 'not currently used'],
  25: ['HMAC', 'not currently used'],
  32: ['DISABLED', 'the command is disabled'],
  33: ['EXCLUSIVE', 'an exclusive audit session is in the way'],
  36: ['AUTH_TYPE', 'the authorization handle is not correct for the command'],
  37: ['AUTH_MISSING', 'the command requires an authorization session'],
  38: ['POLICY', 'policy failure in a mathematical operation or an invalid authPolicy'],
  39: ['PCR', 'PCR check failed'],
  40: ['PCR_CHANGED', 'PCR have changed since they were checked'],
  45: ['UPGRADE', 'the TPM is in field upgrade mode'],
  46: ['TOO_MANY_CONTEXTS', 'the context counter is at its maximum'],
  47: ['AUTH_UNAVAILABLE', 'no authorization value or policy is available for the object'],
  48: ['REBOOT', 'the machine must restart before the TPM works again'],
  49: ['UNBALANCED', 'hash and symmetric algorithm sizes do not match'],
  66: ['COMMAND_SIZE', 'the size in the command header is wrong'],
  67: ['COMMAND_CODE', 'the command is not supported'],
  68: ['AUTHSIZE', 'the size of the authorization area is wrong'],
  69: ['AUTH_CONTEXT', 'a session is not allowed with this command'],
  70: ['NV_RANGE', 'NV offset and size are out of range'],
  71: ['NV_SIZE', 'the NV size is too large'],
  72: ['NV_LOCKED', 'NV access is locked'],
  73: ['NV_AUTHORIZATION', 'NV access is not authorized'],
  74: ['NV_UNINITIALIZED', 'the NV index was never written'],
  75: ['NV_SPACE', 'not enough NV space'],
  76: ['NV_DEFINED', 'the NV index or persistent object exists already'],
  80: ['BAD_CONTEXT', 'the saved context is not valid'],
  81: ['CPHASH', 'cpHash is set already or not correct'],
  82: ['PARENT', 'the parent handle is not a valid parent'],
  83: ['NEEDS_TEST', 'a function needs testing first'],
  84: ['NO_RESULT', 'the TPM cannot process a request of unspecified kind'],
  85: ['SENSITIVE', 'the sensitive area did not unmarshal correctly'],
};

const WARNINGS: Names = {
  1: ['CONTEXT_GAP', 'the gap for context IDs is too large'],
  2: ['OBJECT_MEMORY', 'the TPM is out of memory for objects'],
  3: ['SESSION_MEMORY', 'the TPM is out of memory for sessions'],
  4: ['MEMORY', 'the TPM is out of memory'],
  5: ['SESSION_HANDLES', 'the TPM is out of session handles'],
  6: ['OBJECT_HANDLES', 'the TPM is out of object handles'],
  7: ['LOCALITY', 'bad locality'],
  8: ['YIELDED', 'the TPM suspended the command'],
  9: ['CANCELED', 'the command was cancelled'],
  10: ['TESTING', 'the TPM is testing itself'],
  16: ['REFERENCE_H0', 'the first handle refers to something that is not loaded'],
  17: ['REFERENCE_H1', 'the second handle refers to something that is not loaded'],
  18: ['REFERENCE_H2', 'the third handle refers to something that is not loaded'],
  24: ['REFERENCE_S0', 'the first session is not loaded'],
  25: ['REFERENCE_S1', 'the second session is not loaded'],
  26: ['REFERENCE_S2', 'the third session is not loaded'],
  32: ['NV_RATE', 'NV writes are limited for now'],
  33: ['LOCKOUT', 'the TPM is locked out after too many wrong passwords'],
  34: ['RETRY', 'the TPM was not able to start the command'],
  35: ['NV_UNAVAILABLE', 'NV is not available'],
  127: ['NOT_USED', 'a reserved value'],
};
