/**
 * What a machine does to be attested, on top of the single commands: its EK and AK, activation, quotes. Sessions are freed
 * here, also on errors; keys are freed by `withKeys`, or by who called `createEk` or `createAk`.
 */
import { decode, encode } from './codec.ts';
import type { Tpm } from './command.ts';
import { flushContext } from './commands-context.ts';
import {
  activateCredential as activateCredentialCommand,
  createPrimary,
  quote as quoteCommand,
} from './commands-keys.ts';
import { policyOr, policySecret } from './commands-policy.ts';
import { shutdown } from './commands-state.ts';
import { type HashName, RH } from './constants.ts';
import { nodeCrypto } from './crypto-node.ts';
import type { TpmCrypto } from './crypto-port.ts';
import { ekPolicies } from './ek-policy.ts';
import { readEkTemplate } from './ek-template.ts';
import { TpmKeyError } from './errors.ts';
import { explainingLockout } from './lockout.ts';
import type { PcrSelection } from './pcr-selection.ts';
import { tpmtPublic } from './public-area.ts';
import { flushing, withAuthSession } from './session.ts';
import { tpmtSignature } from './signature.ts';
import { type AkKind, akTemplate, type EkKind } from './templates.ts';

/** A primary key in the TPM's memory; it takes one of about three slots until `flush`ed. */
export interface LoadedKey<Kind extends string> {
  readonly kind: Kind;
  readonly handle: number;
  /** TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
  readonly name: Uint8Array;
  /** Frees the TPM's slot. */
  flush(): Promise<void>;
}
export type Ek = LoadedKey<EkKind>;
export type Ak = LoadedKey<AkKind>;

export const DEFAULT_AK_LABEL = 'tpm2-ts attestation key 1';

/** The endorsement key of a template, or of the vendor's own in NV: derived anew, always the same for one TPM. */
export async function createEk(tpm: Tpm, kind: EkKind): Promise<Ek> {
  return primary(tpm, kind, await readEkTemplate(tpm, kind));
}

/** The attestation key: a primary key of the endorsement hierarchy, so it needs no storage to be the same at every boot. */
export function createAk(tpm: Tpm, kind: AkKind, label: string = DEFAULT_AK_LABEL): Promise<Ak> {
  return primary(tpm, kind, akTemplate(kind, label));
}

/** Makes EK and AK, runs `work` with them, and frees both whatever happens. */
export async function withKeys<T>(
  tpm: Tpm,
  kinds: { readonly ek: EkKind; readonly ak: AkKind; readonly akLabel?: string },
  work: (keys: { readonly ek: Ek; readonly ak: Ak }) => Promise<T>,
): Promise<T> {
  const ek = await createEk(tpm, kinds.ek);
  return flushing(tpm, ek.handle, async () => {
    const ak = await createAk(tpm, kinds.ak, kinds.akLabel);
    return flushing(tpm, ak.handle, () => work({ ek, ak }));
  });
}

/**
 * Opens a credential that MakeCredential sealed for this EK and this AK. The secret does not cross the bus in the clear: the
 * TPM's answer is encrypted and authenticated in a session salted to the EK. Who alters the bus, and not only listens, would
 * have to put a false EK in `ek.publicArea`, and the verifier's check of that key against its certificate finds this.
 * @throws TpmResponseError when it is not for them, TpmSessionError when the answer was altered on its way, TpmLockoutError
 *   when the TPM counted too many failures of others before
 */
export async function activateCredential(
  tpm: Tpm,
  args: {
    readonly ek: Ek;
    readonly ak: Ak;
    /** TPM2B_ID_OBJECT. */
    readonly credentialBlob: Uint8Array;
    /** TPM2B_ENCRYPTED_SECRET. */
    readonly encryptedSecret: Uint8Array;
    readonly crypto?: TpmCrypto;
  },
): Promise<Uint8Array> {
  // EKs are under dictionary-attack protection, and a TPM that loses power after such a key's password was used counts a
  // failed attempt at its next start (Part 1, "Non-orderly Shutdown"): a few machines switched off at the wall would end
  // locked out. A policy is exempt, yet not every EK has one, and not every TPM need see it so. TPM2_Shutdown makes this
  // use orderly; the TPM goes on working after it.
  return explainingLockout(tpm, () => openCredential(tpm, args)).finally(() => shutdown(tpm, 'clear'));
}

async function openCredential(tpm: Tpm, args: Parameters<typeof activateCredential>[1]): Promise<Uint8Array> {
  const { ek, ak, credentialBlob, encryptedSecret, crypto = nodeCrypto } = args;
  const { kind, hash, fulfil } = ekAuthorization(ek, crypto);
  return withAuthSession(tpm, crypto, { kind, hash, saltTo: ek }, async (session) => {
    await fulfil(tpm, session.handle);
    return activateCredentialCommand(tpm, {
      akHandle: ak.handle,
      akName: ak.name,
      ekHandle: ek.handle,
      ekName: ek.name,
      ekAuthorization: { kind: 'session', session, encrypt: true },
      credentialBlob,
      encryptedSecret,
    });
  });
}

/**
 * How this EK may be used. By policy where it is one of the profile's: a policy is not subject to dictionary attack
 * protection, while each use of the high range's empty password is, and is refused during a lockout.
 */
function ekAuthorization(
  ek: Ek,
  crypto: TpmCrypto,
): {
  readonly kind: 'policy' | 'hmac';
  readonly hash: HashName;
  fulfil(tpm: Tpm, session: number): Promise<void>;
} {
  const { nameAlg: hash, authPolicy, attributes } = decode(tpmtPublic, ek.publicArea, 'ek.publicArea');
  if (hash === 'null') throw new TpmKeyError('an EK without nameAlg');
  const policies = ekPolicies(hash, crypto.digest);
  const isPolicy = (policy: Uint8Array | undefined) =>
    policy?.length === authPolicy.length && policy.every((byte, i) => byte === authPolicy[i]);
  const policyA = (tpm: Tpm, session: number) => policySecret(tpm, { session, authHandle: RH.endorsement });
  if (isPolicy(policies?.a)) return { kind: 'policy', hash, fulfil: policyA };
  if (policies !== undefined && isPolicy(policies.b)) {
    const policyB = async (tpm: Tpm, session: number) => {
      await policyA(tpm, session);
      await policyOr(tpm, { session, branches: [policies.a, policies.c] });
    };
    return { kind: 'policy', hash, fulfil: policyB };
  }
  if (attributes.userWithAuth) return { kind: 'hmac', hash, fulfil: async () => {} };
  throw new TpmKeyError('an EK whose policy is none of the EK Credential Profile, and which takes no password');
}

/** A signed statement of the selected registers' values. Both results are wire bytes: TPMS_ATTEST and TPMT_SIGNATURE. */
export async function quote(
  tpm: Tpm,
  ak: Ak,
  selection: readonly PcrSelection[],
  qualifyingData: Uint8Array,
): Promise<{ readonly quoted: Uint8Array; readonly signature: Uint8Array }> {
  const { quoted, signature } = await quoteCommand(tpm, { handle: ak.handle, qualifyingData, selection });
  return { quoted, signature: encode(tpmtSignature, signature) };
}

async function primary<Kind extends string>(
  tpm: Tpm,
  kind: Kind,
  template: Parameters<typeof createPrimary>[1]['template'],
): Promise<LoadedKey<Kind>> {
  const { handle, publicArea, name } = await createPrimary(tpm, { hierarchy: RH.endorsement, template });
  return { kind, handle, publicArea, name, flush: () => flushContext(tpm, handle) };
}
