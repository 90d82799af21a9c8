/** What a command is authorized and protected by, Part 1 §19: passwords, policies, sessions. */
import type { AuthSession } from './auth-session.ts';

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

/** Of a command, what its authorizations depend on. */
export interface AuthorizedCommand {
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
}
