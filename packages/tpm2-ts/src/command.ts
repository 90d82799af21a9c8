/** One command out, one response back, Part 1 §18: header, handles, authorizations, parameters; all sizes checked. */

import type { AuthorizedCommand } from './authorization.ts';
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

export interface Command<R> extends AuthorizedCommand {
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
