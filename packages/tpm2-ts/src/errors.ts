/**
 * The ways a TPM conversation fails: bytes that are not what the specification says (`TpmCodecError`), a TPM that
 * says no (`TpmResponseError`, in response-code.ts), a TPM that cannot be reached (`TpmTransportError`), and answers that a
 * session proves to be altered (`TpmSessionError`). `TpmKeyError` is for keys that decode well and still cannot be used.
 * Each has a closed code; `nextStep`, where present, is an instruction for the person at the machine.
 */
export type CodecErrorCode = 'TRUNCATED' | 'TRAILING_BYTES' | 'BAD_VALUE' | 'TOO_LARGE';

/** Bytes that do not decode, or a value that does not encode. */
export class TpmCodecError extends Error {
  readonly code: CodecErrorCode;
  /** Field path such as `quote.pcrDigest`; empty when it concerns the whole input. */
  readonly path: string;
  /** Byte position in the whole input (decoding) or output (encoding). */
  readonly offset: number;
  readonly nextStep: string | undefined = undefined;

  constructor(code: CodecErrorCode, path: string, offset: number, reason: string) {
    super(`${path === '' ? 'input' : path} at byte ${offset}: ${reason}`);
    this.name = 'TpmCodecError';
    this.code = code;
    this.path = path;
    this.offset = offset;
  }
}

export type TransportErrorCode = 'OPEN_FAILED' | 'CLOSED' | 'IO_FAILED' | 'RESPONSE_MALFORMED';

/** The TPM could not be reached, or the connection to it broke. After any of these the transport is closed for good. */
export class TpmTransportError extends Error {
  readonly code: TransportErrorCode;
  readonly nextStep: string | undefined;

  constructor(code: TransportErrorCode, message: string, options: { cause?: unknown; nextStep?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'TpmTransportError';
    this.code = code;
    this.nextStep = options.nextStep;
  }
}

export type SessionErrorCode = 'RESPONSE_HMAC_WRONG' | 'SESSION_MISUSED';

/** A response that its session does not vouch for, or a session used in a way that the command does not allow. */
export class TpmSessionError extends Error {
  readonly code: SessionErrorCode;
  readonly nextStep: string | undefined;
  override readonly name = 'TpmSessionError';

  constructor(code: SessionErrorCode, message: string, options: { nextStep?: string } = {}) {
    super(message);
    this.code = code;
    this.nextStep = options.nextStep;
  }
}

/** A key of a kind or size that the asked-for operation does not support. */
export class TpmKeyError extends Error {
  readonly code = 'KEY_UNSUPPORTED';
  readonly nextStep: string | undefined = undefined;
  override readonly name = 'TpmKeyError';
}
