/** Tickets, Part 2 §10.7: a TPM's own proof to itself, an HMAC under a secret that never leaves it. Opaque to everybody else. */
import { oneOf, u16, u32, type Value } from './codec.ts';
import { ST } from './constants.ts';
import { digest } from './public-area.ts';
import { constant, struct } from './struct.ts';

const ticket = (tag: number) => struct({ tag: constant(u16, tag), hierarchy: u32, digest });

/** TPMT_TK_CREATION, §10.7.3: this object was made by this TPM. */
export const creationTicket = ticket(ST.creation);
/** TPMT_TK_VERIFIED, §10.7.4: this signature was verified by this TPM. */
export const verifiedTicket = ticket(ST.verified);
/** TPMT_TK_HASHCHECK, §10.7.6: this digest is of data that did not begin with TPM_GENERATED_VALUE. */
export const hashcheckTicket = ticket(ST.hashcheck);
/** TPMT_TK_AUTH as TPM2_PolicySecret returns it, §10.7.5. */
export const authTicket = ticket(ST.authSecret);

/** TPMT_TK_AUTH, §10.7.5: an authorization that may be shown again; `tag` says by which command it was given. */
export const tpmtTkAuth = struct({
  tag: oneOf(u16, { authSecret: ST.authSecret, authSigned: ST.authSigned }),
  hierarchy: u32,
  digest,
});

export type Ticket = Value<typeof creationTicket>;
export type AuthTicket = Value<typeof tpmtTkAuth>;
