/**
 * Pairing: whose machine this is. The device flow of RFC 8628 in this protocol's own form (docs/decisions/0011-pairing.md):
 * JSON over the pinned connection, each request signed by the session key. The machine gets no token: its key is what
 * the account belongs to.
 */
import { type Static, Type } from 'typebox';
import { base64, hex, strict } from './fields.ts';
import { MachineId, sessionSignature } from './messages.ts';

/** RFC 8628 §6.1: no vowels, so no words; no letter that is taken for a digit. */
export const USER_CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** What a person compares with the machine before him. Stated by the machine, proven by nothing here. */
export const PairingFacts = Type.Object(
  {
    cpuModel: Type.String({ maxLength: 200 }),
    memoryBytes: Type.Integer({ minimum: 0 }),
    bootMode: Type.Union([Type.Literal('uefi'), Type.Literal('bios')]),
    clientVersion: Type.String({ maxLength: 100 }),
  },
  strict,
);
export type PairingFacts = Static<typeof PairingFacts>;

/**
 * POST /v1/pairings (RFC 8628 §3.1), purpose `pair`. An enrolled machine signs with its session key. One without a TPM
 * sends that key along, and its id is the SHA-256 of it.
 */
export const PairingRequest = Type.Object(
  {
    machineId: MachineId,
    sessionPublicKey: Type.Optional(base64(512)),
    facts: PairingFacts,
    signature: sessionSignature,
  },
  strict,
);
export type PairingRequest = Static<typeof PairingRequest>;

export const AccountName = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$' });

const Paired = Type.Object(
  {
    status: Type.Literal('paired'),
    account: AccountName,
    /** Known again by its TPM after a restart; else only as long as the session key lives. */
    lasting: Type.Boolean(),
  },
  strict,
);

/** §3.2. Paired already, or a code to show: a machine's new code voids its earlier one. */
export const PairingAnswer = Type.Union([
  Paired,
  Type.Object(
    {
      status: Type.Literal('waiting'),
      deviceCode: hex(32),
      userCode: Type.String({ pattern: `^[${USER_CODE_LETTERS}]{4}-[${USER_CODE_LETTERS}]{4}$` }),
      verificationUri: Type.String({ pattern: '^https://[!-~]+$', maxLength: 300 }),
      /** All in capitals where the host allows it: a QR code of such letters is smaller. */
      verificationUriComplete: Type.String({ pattern: '^(https|HTTPS)://[!-~]+$', maxLength: 320 }),
      expiresInSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
      intervalSeconds: Type.Integer({ minimum: 1, maximum: 3600 }),
    },
    strict,
  ),
]);
export type PairingAnswer = Static<typeof PairingAnswer>;

/** POST /v1/pairings/token (§3.4), purpose `pair-poll`, subject the device code. */
export const PairingPoll = Type.Object(
  {
    machineId: MachineId,
    sessionPublicKey: Type.Optional(base64(512)),
    deviceCode: hex(32),
    signature: sessionSignature,
  },
  strict,
);
export type PairingPoll = Static<typeof PairingPoll>;

/** §3.5, in the RFC's words; `slow_down` asks for five seconds more between polls. */
export const PairingStatus = Type.Union([
  Paired,
  Type.Object(
    {
      status: Type.Union([
        Type.Literal('authorization_pending'),
        Type.Literal('slow_down'),
        Type.Literal('access_denied'),
        Type.Literal('expired_token'),
      ]),
    },
    strict,
  ),
]);
export type PairingStatus = Static<typeof PairingStatus>;
