/** Policy commands, Part 3 §23: each adds one condition to a policy session. `session` is the session's handle. */

import type { AuthSession } from './auth-session.ts';
import { type Authorization, EMPTY_PASSWORD } from './authorization.ts';
import { encode, sizedBytes, u32 } from './codec.ts';
import { run, type Tpm } from './command.ts';
import { CC } from './constants.ts';
import { digestList } from './digest-list.ts';
import { type PcrSelection, pcrSelections } from './pcr-selection.ts';
import { digest } from './public-area.ts';
import { struct } from './struct.ts';
import { authTicket } from './tickets.ts';

const nothing = struct({});
const EMPTY = new Uint8Array();

/** TPM2_PolicySecret, §23.4: the session shows knowledge of `authHandle`'s password, which is empty unless given. */
export async function policySecret(
  tpm: Tpm,
  args: { readonly session: number; readonly authHandle: number; readonly authorization?: Authorization },
): Promise<void> {
  const parameters = struct({ nonceTpm: digest, cpHashA: digest, policyRef: digest, expiration: u32 });
  await run(tpm, {
    name: 'TPM2_PolicySecret',
    code: CC.policySecret,
    handles: [args.authHandle, args.session],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    parameters: encode(parameters, { nonceTpm: EMPTY, cpHashA: EMPTY, policyRef: EMPTY, expiration: 0 }),
    response: struct({ timeout: sizedBytes(8), ticket: authTicket }),
  });
}

/** TPM2_PolicyOR, §23.6: one of two to eight policies is fulfilled already; from here on they count the same. */
export async function policyOr(
  tpm: Tpm,
  args: { readonly session: number; readonly branches: readonly Uint8Array[] },
): Promise<void> {
  const parameters = encode(digestList, args.branches, 'TPM2_PolicyOR branches');
  await change(tpm, 'TPM2_PolicyOR', CC.policyOr, args.session, parameters);
}

/** TPM2_PolicyPCR, §23.7: the registers now have these values (`pcrDigest`), or whatever they are, without one. */
export async function policyPcr(
  tpm: Tpm,
  args: { readonly session: number; readonly selection: readonly PcrSelection[]; readonly pcrDigest?: Uint8Array },
): Promise<void> {
  const parameters = encode(struct({ pcrDigest: digest, selection: pcrSelections }), {
    pcrDigest: args.pcrDigest ?? EMPTY,
    selection: args.selection,
  });
  await change(tpm, 'TPM2_PolicyPCR', CC.policyPcr, args.session, parameters);
}

/** TPM2_PolicyCommandCode, §23.11: the session authorizes this command (a value of `CC`) only. */
export async function policyCommandCode(
  tpm: Tpm,
  args: { readonly session: number; readonly code: number },
): Promise<void> {
  await change(tpm, 'TPM2_PolicyCommandCode', CC.policyCommandCode, args.session, encode(u32, args.code));
}

/** TPM2_PolicyAuthValue, §23.17: the object's password is wanted too, in the HMAC of the session. */
export async function policyAuthValue(tpm: Tpm, session: AuthSession): Promise<void> {
  await change(tpm, 'TPM2_PolicyAuthValue', CC.policyAuthValue, session.handle, EMPTY);
  session.policyWantsAuthValue = true;
}

/** TPM2_PolicyAuthorizeNV, §23.22: the policy that an NV index holds is fulfilled; what counts from here on is the index. */
export async function policyAuthorizeNv(
  tpm: Tpm,
  args: {
    readonly session: number;
    readonly nvIndex: number;
    readonly authHandle?: number;
    readonly authorization?: Authorization;
  },
): Promise<void> {
  await run(tpm, {
    name: 'TPM2_PolicyAuthorizeNV',
    code: CC.policyAuthorizeNv,
    handles: [args.authHandle ?? args.nvIndex, args.nvIndex, args.session],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    response: nothing,
  });
}

/** TPM2_PolicyGetDigest, §23.19: what the session has come to. */
export async function policyGetDigest(tpm: Tpm, session: number): Promise<Uint8Array> {
  const { result } = await run(tpm, {
    name: 'TPM2_PolicyGetDigest',
    code: CC.policyGetDigest,
    handles: [session],
    response: digest,
  });
  return result;
}

/** TPM2_PolicyRestart, §11.2: the session begins anew. */
export async function policyRestart(tpm: Tpm, session: AuthSession): Promise<void> {
  await change(tpm, 'TPM2_PolicyRestart', CC.policyRestart, session.handle, EMPTY);
  session.policyWantsAuthValue = false;
}

async function change(tpm: Tpm, name: string, code: number, session: number, parameters: Uint8Array): Promise<void> {
  await run(tpm, { name, code, handles: [session], parameters, response: nothing });
}
