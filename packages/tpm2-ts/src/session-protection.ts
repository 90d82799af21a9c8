/** One command and its response under sessions: HMACs (Part 1 §19.6) and parameter encryption (§21). Pure but for the nonces. */
import { withoutTrailingZeros } from './auth-session.ts';
import type { Authorization, AuthorizedCommand, SessionUse } from './authorization.ts';
import { encode, u16, u32 } from './codec.ts';
import { HASH_SIZES, RH } from './constants.ts';
import { TpmSessionError } from './errors.ts';
import { concat, kdfA } from './kdf.ts';
import {
  type AuthCommand,
  type AuthResponse,
  NO_ATTRIBUTES,
  type SessionAttributes,
  sessionAttributes,
} from './session-area.ts';

const EMPTY = new Uint8Array();

/** What is remembered from the command to check its response. */
export interface Pending {
  readonly use: SessionUse;
  readonly nonceCaller: Uint8Array;
  readonly attributes: SessionAttributes;
  /** Name of the entity that this session authorizes; undefined for one that only protects. */
  readonly entity: Uint8Array | undefined;
}

export interface ProtectedCommand {
  readonly area: readonly AuthCommand[];
  /** With the first one encrypted where a session asks for it. */
  readonly parameters: Uint8Array;
  /** In the order of the area; undefined for passwords and plain policy sessions. */
  readonly pending: readonly (Pending | undefined)[];
}

/** @throws TpmSessionError when the sessions cannot be used for this command */
export function protectCommand(command: AuthorizedCommand, parameters: Uint8Array): ProtectedCommand {
  const authorizations = [...(command.authorizations ?? []), ...(command.sessions ?? [])];
  const pending = authorizations.map((authorization, index) =>
    authorization.kind === 'session' ? begin(command, authorization, index) : undefined,
  );
  const decrypting = only(command, pending, 'decrypt');
  only(command, pending, 'encrypt');
  const sent = decrypting === undefined ? parameters : crypt(command, 'encrypt', decrypting, parameters);
  const names = pending.every((each) => each === undefined) ? [] : handleNames(command);
  const area = authorizations.map((authorization, index) => {
    const own = pending[index];
    if (own === undefined) return plainArea(authorization);
    const cpHash = hashed(own, encode(u32, command.code), ...names, sent);
    const { session } = own.use;
    const others = index === 0 && own.entity !== undefined ? otherNonces(own, pending) : [];
    const hmac = hmacOf(own, [cpHash, own.nonceCaller, session.nonceTpm, ...others, attributeByte(own.attributes)]);
    return { session: session.handle, nonce: own.nonceCaller, attributes: own.attributes, hmac };
  });
  return { area, parameters: sent, pending };
}

/**
 * Checks every session's HMAC over a successful response, moves the nonces on, and gives the parameters in the clear.
 * @throws TpmSessionError RESPONSE_HMAC_WRONG: the bytes are not what the TPM sent
 */
export function openResponse(
  command: AuthorizedCommand,
  pending: readonly (Pending | undefined)[],
  area: readonly AuthResponse[],
  parameters: Uint8Array,
): Uint8Array {
  pending.forEach((own, index) => {
    const answer = area[index];
    if (own === undefined || answer === undefined) return;
    const rpHash = hashed(own, encode(u32, 0), encode(u32, command.code), parameters);
    const wanted = hmacOf(own, [rpHash, answer.nonce, own.nonceCaller, attributeByte(answer.attributes)]);
    if (!equal(wanted, answer.hmac)) throw wrongHmac(command);
    own.use.session.nonceTpm = answer.nonce;
  });
  const encrypting = only(command, pending, 'encrypt');
  return encrypting === undefined ? parameters : crypt(command, 'decrypt', encrypting, parameters);
}

function begin(command: AuthorizedCommand, use: SessionUse, index: number): Pending {
  const { session } = use;
  if (session.kind === 'trial') throw misuse(command, 'a trial session authorizes nothing');
  const attributes = {
    ...NO_ATTRIBUTES,
    continueSession: use.continueSession ?? true,
    decrypt: use.decrypt ?? false,
    encrypt: use.encrypt ?? false,
    audit: use.audit ?? false,
  };
  const nonceCaller = session.crypto.randomBytes(HASH_SIZES[session.hash]);
  const authorizing = index < (command.authorizations?.length ?? 0);
  return { use, nonceCaller, attributes, entity: authorizing ? handleName(command, index) : undefined };
}

/** A session's nonces and HMAC are empty for passwords, and for policy sessions that hold no key. */
function plainArea(authorization: Authorization): AuthCommand {
  const attributes = { ...NO_ATTRIBUTES, continueSession: true };
  if (authorization.kind === 'password') {
    return { session: RH.passwordSession, nonce: EMPTY, attributes, hmac: authorization.password ?? EMPTY };
  }
  if (authorization.kind === 'policy') return { session: authorization.session, nonce: EMPTY, attributes, hmac: EMPTY };
  throw new TypeError('a session that protects has been set up before');
}

/** §19.6.5: if the first session authorizes, its HMAC vouches for the nonces of those that encrypt, so that none can be taken out. */
function otherNonces(own: Pending, pending: readonly (Pending | undefined)[]): readonly Uint8Array[] {
  const decrypting = pending.find((each) => each?.attributes.decrypt);
  const encrypting = pending.find((each) => each?.attributes.encrypt);
  return [decrypting, encrypting === decrypting ? undefined : encrypting].flatMap((other) =>
    other === undefined || other === own ? [] : [other.use.session.nonceTpm],
  );
}

/** §19.6.5: the session key, and the password of what is authorized unless the session is bound to it. */
function hmacOf(own: Pending, parts: readonly Uint8Array[]): Uint8Array {
  const { session } = own.use;
  const key = concat(session.sessionKey, countsPassword(own) ? password(own) : EMPTY);
  if (key.length === 0 && session.kind === 'policy') return EMPTY;
  return session.crypto.hmac(session.hash, key, concat(...parts));
}

function countsPassword({ use: { session }, entity }: Pending): boolean {
  if (entity === undefined) return false;
  if (session.kind === 'policy') return session.policyWantsAuthValue;
  return session.boundTo === undefined || !equal(session.boundTo, entity);
}

function password(own: Pending): Uint8Array {
  return own.entity === undefined ? EMPTY : withoutTrailingZeros(own.use.authValue ?? EMPTY);
}

/** §21: the first parameter, a TPM2B, keeps its size in the clear. The newer nonce is the sender's. */
function crypt(
  command: AuthorizedCommand,
  direction: 'encrypt' | 'decrypt',
  own: Pending,
  parameters: Uint8Array,
): Uint8Array {
  const { session } = own.use;
  if (session.cipherBits === 0) throw misuse(command, 'the session has no cipher');
  const [high, low] = parameters;
  const size = high === undefined || low === undefined ? -1 : 256 * high + low;
  if (size < 0 || size > parameters.length - 2) {
    throw misuse(command, 'its first parameter is no sized buffer');
  }
  const [u, v] = direction === 'encrypt' ? [own.nonceCaller, session.nonceTpm] : [session.nonceTpm, own.nonceCaller];
  const bits = session.cipherBits + 128;
  const material = kdfA(session.crypto, session.hash, sessionValue(own), 'CFB', { u, v }, bits);
  const key = material.subarray(0, session.cipherBits / 8);
  const text = parameters.subarray(2, 2 + size);
  const done = session.crypto.aesCfb(direction, key, material.subarray(key.length), text);
  return concat(encode(u16, size), done, parameters.subarray(2 + size));
}

/** §21.2: here the password counts always, also in a bound session. */
function sessionValue(own: Pending): Uint8Array {
  return concat(own.use.session.sessionKey, password(own));
}

function only(
  command: AuthorizedCommand,
  pending: readonly (Pending | undefined)[],
  attribute: 'encrypt' | 'decrypt',
): Pending | undefined {
  const found = pending.filter((each) => each?.attributes[attribute]);
  if (found.length > 1) throw misuse(command, `only one session may ${attribute}`);
  return found[0];
}

function handleNames(command: AuthorizedCommand): readonly Uint8Array[] {
  return (command.handles ?? []).map((_, index) => handleName(command, index));
}

/** Registers, sessions and hierarchies are named by their handle; objects and NV indexes by what they are. */
function handleName(command: AuthorizedCommand, index: number): Uint8Array {
  const given = command.names?.[index];
  if (given !== undefined) return given;
  const handle = command.handles?.[index] ?? 0;
  if ([0x00, 0x02, 0x03, 0x40].includes(handle >>> 24)) return encode(u32, handle);
  throw misuse(command, `an HMAC needs the Name of handle 0x${handle.toString(16)}`);
}

function hashed(own: Pending, ...parts: readonly Uint8Array[]): Uint8Array {
  const { session } = own.use;
  return session.crypto.digest(session.hash, concat(...parts));
}

function attributeByte(attributes: SessionAttributes): Uint8Array {
  return encode(sessionAttributes, attributes);
}

/** In a time that does not depend on where they differ. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

function wrongHmac(command: AuthorizedCommand): TpmSessionError {
  return new TpmSessionError(
    'RESPONSE_HMAC_WRONG',
    `${command.name}: the HMAC of the response is wrong; it was altered on its way from the TPM`,
    { nextStep: 'try again; if it stays, have the connection between processor and TPM examined' },
  );
}

function misuse(command: AuthorizedCommand, reason: string): TpmSessionError {
  return new TpmSessionError('SESSION_MISUSED', `${command.name}: ${reason}`);
}
