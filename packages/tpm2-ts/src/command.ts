/** One command out, one response back, Part 1 §18: header, handles, authorizations, parameters; all sizes checked. */

import type { AuthSession } from './auth-session.ts';
import { type Codec, decode, encode, rest, sized, u16, u32 } from './codec.ts';
import { ST } from './constants.ts';
import { TpmCodecError } from './errors.ts';
import { concat } from './kdf.ts';
import { describeResponseCode, RC_BUSY, TpmResponseError } from './response-code.ts';
import { authCommand, authResponse, exactly } from './session-area.ts';
import { openResponse, type ProtectedCommand, protectCommand } from './session-protection.ts';
import { struct } from './struct.ts';

/** A way to a TPM. `send` takes one command and gives one response; it queues concurrent calls. */
export interface Tpm {
  send(command: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Shows that we may use a handle: a password (empty unless given, and in the clear), a policy session that has fulfilled the
 * object's policy and holds no key, or a session that protects the command as well.
 */
export type Authorization =
  | { readonly kind: 'password'; readonly password?: Uint8Array }
  | { readonly kind: 'policy'; readonly session: number }
  | SessionUse;
export const EMPTY_PASSWORD: Authorization = { kind: 'password' };

/** How one command uses a session of session.ts. */
export interface SessionUse {
  readonly kind: 'session';
  readonly session: AuthSession;
  /** Password of what is authorized; empty unless given. It does not cross the bus. */
  readonly authValue?: Uint8Array;
  /** Encrypt the first parameter of the command, which must be a sized buffer. */
  readonly decrypt?: boolean;
  /** Have the first parameter of the response encrypted. */
  readonly encrypt?: boolean;
  /** Protect by HMAC only. A session that neither authorizes nor encrypts must audit, or the TPM refuses it. */
  readonly audit?: boolean;
  /** False lets the TPM flush the session after this command. Default true. */
  readonly continueSession?: boolean;
}

export interface Command<R> {
  /** As in the specification, for messages: `TPM2_Quote`. */
  readonly name: string;
  /** TPM_CC. */
  readonly code: number;
  readonly handles?: readonly number[];
  /** Names of `handles`, where a session is to protect the command; those of hierarchies and registers may be left out. */
  readonly names?: readonly (Uint8Array | undefined)[];
  /** One for each handle that needs it, in their order. */
  readonly authorizations?: readonly Authorization[];
  /** Sessions that authorize nothing and protect only. */
  readonly sessions?: readonly SessionUse[] | undefined;
  readonly parameters?: Uint8Array;
  /** How many handles the response carries (0 or 1). */
  readonly responseHandles?: 0 | 1;
  readonly response: Codec<R>;
}

/**
 * Runs one command. A busy TPM (RC_RETRY, RC_YIELDED, RC_TESTING) is asked again for about twelve seconds.
 * @throws TpmResponseError when the TPM refuses, TpmCodecError when its answer is malformed, TpmSessionError when a session
 *   shows that it was altered, TpmTransportError. A refusal is never under a session's HMAC: anybody on the bus can fake one
 */
export async function run<R>(tpm: Tpm, command: Command<R>): Promise<{ handle: number; result: R }> {
  const protectedCommand = protectCommand(command, command.parameters ?? EMPTY);
  const bytes = encodeCommand(command, protectedCommand);
  for (let attempt = 0; ; attempt += 1) {
    const response = await tpm.send(bytes);
    const rc = responseCode(response, command.name);
    if (rc === 0) return decodeResponse(response, command, protectedCommand);
    const delayMs = BUSY_DELAYS_MS[attempt];
    if (delayMs === undefined || !RC_BUSY.includes(rc)) {
      throw new TpmResponseError(command.name, describeResponseCode(rc));
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

const BUSY_DELAYS_MS: readonly number[] = [20, 40, 80, 160, 320, 640, 1280, 2000, 2000, 2000, 2000, 2000];

const EMPTY = new Uint8Array();

function encodeCommand(command: Command<unknown>, { area, parameters }: ProtectedCommand): Uint8Array {
  const { name, handles = [] } = command;
  const body = concat(
    ...handles.map((handle) => encode(u32, handle, `${name} handle`)),
    area.length === 0 ? EMPTY : encode(sized(u32, exactly(area.length, authCommand)), area, `${name} authorizations`),
    parameters,
  );
  const tag = area.length === 0 ? ST.noSessions : ST.sessions;
  return encode(
    struct({ tag: u16, size: u32, code: u32, body: rest }),
    { tag, size: 10 + body.length, code: command.code, body },
    name,
  );
}

const responseHeader = struct({ tag: u16, size: u32, rc: u32, body: rest });

function responseCode(response: Uint8Array, name: string): number {
  const { size, rc } = decode(responseHeader, response, `${name} response`);
  if (size !== response.length) throw malformed(name, `says ${size} bytes and has ${response.length}`);
  if (rc !== 0 && response.length !== 10) throw malformed(name, 'is a refusal with data after it');
  return rc;
}

function decodeResponse<R>(
  response: Uint8Array,
  command: Command<R>,
  { area, pending }: ProtectedCommand,
): { handle: number; result: R } {
  const path = `${command.name} response`;
  const { tag } = decode(responseHeader, response, path);
  const wanted = area.length === 0 ? ST.noSessions : ST.sessions;
  if (tag !== wanted)
    throw malformed(command.name, `has tag 0x${tag.toString(16)} instead of 0x${wanted.toString(16)}`);
  const frame = <P>(parameters: Codec<P>) =>
    struct({
      header: struct({ tag: u16, size: u32, rc: u32 }),
      handles: exactly(command.responseHandles ?? 0, u32),
      parameters: area.length === 0 ? parameters : sized(u32, parameters),
      authorizations: exactly(area.length, authResponse),
    });
  if (pending.some((each) => each !== undefined)) {
    // Nothing of the parameters is looked at before the sessions have vouched for them.
    const { handles, parameters, authorizations } = decode(frame(rest), response, path);
    const clear = openResponse(command, pending, authorizations, parameters);
    return { handle: handles[0] ?? 0, result: decode(command.response, clear, `${path}.parameters`) };
  }
  const { handles, parameters } = decode(frame(command.response), response, path);
  return { handle: handles[0] ?? 0, result: parameters };
}

function malformed(name: string, reason: string): TpmCodecError {
  return new TpmCodecError('BAD_VALUE', `${name} response`, 0, reason);
}
