/** One command out, one response back, Part 1 §18: header, handles, authorizations, parameters; all sizes checked. */
import { type Codec, decode, encode, list, rest, sized, sizedBytes, u8, u16, u32 } from './codec.ts';
import { RH, ST } from './constants.ts';
import { TpmCodecError } from './errors.ts';
import { describeResponseCode, RC_BUSY, TpmResponseError } from './response-code.ts';
import { struct } from './struct.ts';

/** A way to a TPM. `send` takes one command and gives one response; it queues concurrent calls. */
export interface Tpm {
  send(command: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Shows that we may use a handle: an empty password, or a policy session that has fulfilled the object's policy. */
export type Authorization = { readonly kind: 'password' } | { readonly kind: 'policy'; readonly session: number };
export const EMPTY_PASSWORD: Authorization = { kind: 'password' };

export interface Command<R> {
  /** As in the specification, for messages: `TPM2_Quote`. */
  readonly name: string;
  readonly code: number;
  readonly handles?: readonly number[];
  readonly authorizations?: readonly Authorization[];
  readonly parameters?: Uint8Array;
  /** How many handles the response carries (0 or 1). */
  readonly responseHandles?: 0 | 1;
  readonly response: Codec<R>;
}

/**
 * Runs one command. A busy TPM (RC_RETRY, RC_YIELDED, RC_TESTING) is asked again for about twelve seconds.
 * @throws TpmResponseError when the TPM refuses, TpmCodecError when its answer is malformed, TpmTransportError
 */
export async function run<R>(tpm: Tpm, command: Command<R>): Promise<{ handle: number; result: R }> {
  const bytes = encodeCommand(command);
  for (let attempt = 0; ; attempt += 1) {
    const response = await tpm.send(bytes);
    const rc = responseCode(response, command.name);
    if (rc === 0) return decodeResponse(response, command);
    const delayMs = BUSY_DELAYS_MS[attempt];
    if (delayMs === undefined || !RC_BUSY.includes(rc)) {
      throw new TpmResponseError(command.name, describeResponseCode(rc));
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

const BUSY_DELAYS_MS: readonly number[] = [20, 40, 80, 160, 320, 640, 1280, 2000, 2000, 2000, 2000, 2000];

/** TPMS_AUTH_COMMAND, Part 2 §10.13.2, and TPMS_AUTH_RESPONSE, §10.13.3. */
const authCommand = struct({ session: u32, nonce: sizedBytes(64), attributes: u8, hmac: sizedBytes(64) });
const authResponse = struct({ nonce: sizedBytes(64), attributes: u8, hmac: sizedBytes(64) });
const CONTINUE_SESSION = 1;
const EMPTY = new Uint8Array();

export function encodeCommand(command: Omit<Command<unknown>, 'response'>): Uint8Array {
  const { handles = [], authorizations = [], parameters = EMPTY } = command;
  const auth = authorizations.map((authorization) => ({
    session: authorization.kind === 'password' ? RH.passwordSession : authorization.session,
    nonce: EMPTY,
    attributes: CONTINUE_SESSION,
    hmac: EMPTY,
  }));
  const body = [
    ...handles.map((handle) => encode(u32, handle, `${command.name} handle`)),
    ...(auth.length === 0
      ? []
      : [encode(sized(u32, list(implied(auth.length), authCommand, 3)), auth, `${command.name} authorizations`)]),
    parameters,
  ];
  const size = 10 + body.reduce((sum, part) => sum + part.length, 0);
  const tag = auth.length === 0 ? ST.noSessions : ST.sessions;
  return encode(
    struct({ tag: u16, size: u32, code: u32, body: rest }),
    { tag, size, code: command.code, body: Uint8Array.from(body.flatMap((part) => [...part])) },
    command.name,
  );
}

const responseHeader = struct({ tag: u16, size: u32, rc: u32, body: rest });

function responseCode(response: Uint8Array, name: string): number {
  const { size, rc } = decode(responseHeader, response, `${name} response`);
  if (size !== response.length) throw malformed(name, `says ${size} bytes and has ${response.length}`);
  if (rc !== 0 && response.length !== 10) throw malformed(name, 'is a refusal with data after it');
  return rc;
}

export function decodeResponse<R>(response: Uint8Array, command: Command<R>): { handle: number; result: R } {
  const sessions = command.authorizations?.length ?? 0;
  const { tag } = decode(responseHeader, response, `${command.name} response`);
  const wanted = sessions === 0 ? ST.noSessions : ST.sessions;
  if (tag !== wanted)
    throw malformed(command.name, `has tag 0x${tag.toString(16)} instead of 0x${wanted.toString(16)}`);
  const handles = list(implied(command.responseHandles ?? 0), u32, 1);
  const whole = struct({
    header: struct({ tag: u16, size: u32, rc: u32 }),
    handles,
    parameters: sessions === 0 ? command.response : sized(u32, command.response),
    authorizations: list(implied(sessions), authResponse, 3),
  });
  const value = decode(whole, response, `${command.name} response`);
  return { handle: value.handles[0] ?? 0, result: value.parameters };
}

/** A count that is not on the wire: it follows from the command. */
function implied(count: number): Codec<number> {
  return { read: () => count, write: () => {} };
}

function malformed(name: string, reason: string): TpmCodecError {
  return new TpmCodecError('BAD_VALUE', `${name} response`, 0, reason);
}
