/** Commands about keys and sessions, Part 3: making, loading, activating, quoting, forgetting. */

import { hashAlgorithm } from './algorithms.ts';
import { data, name } from './attest.ts';
import { type Codec, decode, encode, oneOf, rest, sizedBytes, u8, u16, u32 } from './codec.ts';
import { type Authorization, EMPTY_PASSWORD, run, type Tpm } from './command.ts';
import { ALG, CC, type HashName, RH } from './constants.ts';
import { sensitiveCreate } from './creation.ts';
import { opaqueIdObject, tpm2bEncryptedSecret } from './credential.ts';
import { type PcrSelection, pcrSelections } from './pcr-selection.ts';
import { digest, type TpmtPublic, tpm2bPublic } from './public-area.ts';
import { type TpmtSignature, tpmtSignature } from './signature.ts';
import { struct } from './struct.ts';
import { authTicket, creationTicket } from './tickets.ts';

const nothing = struct({});
const EMPTY = new Uint8Array();
const NO_SECRET = { userAuth: EMPTY, data: EMPTY };
/** TPM2B_PUBLIC with its content left as bytes: names and signatures are over these, not over a re-encoding. */
const publicBytes = sizedBytes(1024);
const privateBytes = sizedBytes(2048);
const creationBytes = sizedBytes(1024);

const createParameters = struct({
  sensitive: sensitiveCreate,
  template: tpm2bPublic,
  outsideInfo: data,
  creationPcr: pcrSelections,
});

export interface CreatedPrimary {
  readonly handle: number;
  /** TPMT_PUBLIC as the TPM sent it. */
  readonly publicArea: Uint8Array;
  /** TPMS_CREATION_DATA. */
  readonly creationData: Uint8Array;
  readonly creationHash: Uint8Array;
  readonly name: Uint8Array;
}

/** TPM2_CreatePrimary, §24.1: derived from the hierarchy's seed and the template, so the same template gives the same key. */
export async function createPrimary(
  tpm: Tpm,
  args: { readonly hierarchy: number; readonly template: TpmtPublic },
): Promise<CreatedPrimary> {
  const { handle, result } = await run(tpm, {
    name: 'TPM2_CreatePrimary',
    code: CC.createPrimary,
    handles: [args.hierarchy],
    authorizations: [EMPTY_PASSWORD],
    parameters: encode(createParameters, {
      sensitive: NO_SECRET,
      template: args.template,
      outsideInfo: EMPTY,
      creationPcr: [],
    }),
    responseHandles: 1,
    response: struct({
      publicArea: publicBytes,
      creationData: creationBytes,
      creationHash: digest,
      creationTicket,
      name,
    }),
  });
  return { handle, ...result };
}

/** TPM2_Create, §12.1: a child of a storage key, to be loaded with `load`. */
export async function create(
  tpm: Tpm,
  args: { readonly parent: number; readonly template: TpmtPublic; readonly authorization?: Authorization },
): Promise<{ readonly privateArea: Uint8Array; readonly publicArea: Uint8Array; readonly creationData: Uint8Array }> {
  const { result } = await run(tpm, {
    name: 'TPM2_Create',
    code: CC.create,
    handles: [args.parent],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    parameters: encode(createParameters, {
      sensitive: NO_SECRET,
      template: args.template,
      outsideInfo: EMPTY,
      creationPcr: [],
    }),
    response: struct({
      privateArea: privateBytes,
      publicArea: publicBytes,
      creationData: creationBytes,
      creationHash: digest,
      creationTicket,
    }),
  });
  return result;
}

/** TPM2_Load, §12.2. */
export async function load(
  tpm: Tpm,
  args: {
    readonly parent: number;
    readonly privateArea: Uint8Array;
    readonly publicArea: Uint8Array;
    readonly authorization?: Authorization;
  },
): Promise<{ readonly handle: number; readonly name: Uint8Array }> {
  const { handle, result } = await run(tpm, {
    name: 'TPM2_Load',
    code: CC.load,
    handles: [args.parent],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    parameters: encode(struct({ privateArea: privateBytes, publicArea: publicBytes }), args),
    responseHandles: 1,
    response: name,
  });
  return { handle, name: result };
}

/** TPM2_ReadPublic, §12.4. */
export async function readPublic(
  tpm: Tpm,
  handle: number,
): Promise<{ readonly publicArea: Uint8Array; readonly name: Uint8Array; readonly qualifiedName: Uint8Array }> {
  const { result } = await run(tpm, {
    name: 'TPM2_ReadPublic',
    code: CC.readPublic,
    handles: [handle],
    response: struct({ publicArea: publicBytes, name, qualifiedName: name }),
  });
  return result;
}

const sessionType = oneOf(u8, { policy: 0x01, trial: 0x03 });
const noSymmetric: Codec<void> = { read: () => {}, write: (_, sink) => u16.write(ALG.null, sink) };

/** TPM2_StartAuthSession, §11.1: an unsalted, unbound policy session. `nonce` must be at least 16 bytes. */
export async function startPolicySession(
  tpm: Tpm,
  args: { readonly nonce: Uint8Array; readonly hash?: HashName; readonly type?: 'policy' | 'trial' },
): Promise<number> {
  const parameters = struct({
    nonce: digest,
    encryptedSalt: sizedBytes(0),
    type: sessionType,
    symmetric: noSymmetric,
    hash: hashAlgorithm,
  });
  const { handle } = await run(tpm, {
    name: 'TPM2_StartAuthSession',
    code: CC.startAuthSession,
    handles: [RH.null, RH.null],
    parameters: encode(parameters, {
      nonce: args.nonce,
      encryptedSalt: EMPTY,
      type: args.type ?? 'policy',
      symmetric: undefined,
      hash: args.hash ?? 'sha256',
    }),
    responseHandles: 1,
    response: struct({ nonceTpm: digest }),
  });
  return handle;
}

/** TPM2_PolicySecret, §23.4: the session shows knowledge of `authHandle`'s (empty) password. */
export async function policySecret(
  tpm: Tpm,
  args: { readonly session: number; readonly authHandle: number },
): Promise<void> {
  const parameters = struct({ nonceTpm: digest, cpHashA: digest, policyRef: digest, expiration: u32 });
  await run(tpm, {
    name: 'TPM2_PolicySecret',
    code: CC.policySecret,
    handles: [args.authHandle, args.session],
    authorizations: [EMPTY_PASSWORD],
    parameters: encode(parameters, { nonceTpm: EMPTY, cpHashA: EMPTY, policyRef: EMPTY, expiration: 0 }),
    response: struct({ timeout: sizedBytes(8), ticket: authTicket }),
  });
}

/** TPM2_ActivateCredential, §12.5: both values are TPM2Bs, with their two-byte sizes, as MakeCredential gave them. */
export async function activateCredential(
  tpm: Tpm,
  args: {
    readonly akHandle: number;
    readonly ekHandle: number;
    readonly ekAuthorization: Authorization;
    readonly credentialBlob: Uint8Array;
    readonly encryptedSecret: Uint8Array;
  },
): Promise<Uint8Array> {
  const { result } = await run(tpm, {
    name: 'TPM2_ActivateCredential',
    code: CC.activateCredential,
    handles: [args.akHandle, args.ekHandle],
    authorizations: [EMPTY_PASSWORD, args.ekAuthorization],
    parameters: encode(struct({ credentialBlob: rest, encryptedSecret: rest }), checked(args)),
    response: digest,
  });
  return result;
}

/** Both inputs come from a broker: refuse what is no TPM2B before it reaches the TPM. */
function checked(args: { readonly credentialBlob: Uint8Array; readonly encryptedSecret: Uint8Array }) {
  decode(opaqueIdObject, args.credentialBlob, 'credentialBlob');
  decode(tpm2bEncryptedSecret, args.encryptedSecret, 'encryptedSecret');
  return args;
}

/** TPM2_Quote, §18.4, with the key's own scheme. `quoted` is the TPMS_ATTEST that was signed, byte for byte. */
export async function quote(
  tpm: Tpm,
  args: {
    readonly handle: number;
    readonly qualifyingData: Uint8Array;
    readonly selection: readonly PcrSelection[];
  },
): Promise<{ readonly quoted: Uint8Array; readonly signature: TpmtSignature }> {
  const parameters = struct({ qualifyingData: data, scheme: u16, selection: pcrSelections });
  const { result } = await run(tpm, {
    name: 'TPM2_Quote',
    code: CC.quote,
    handles: [args.handle],
    authorizations: [EMPTY_PASSWORD],
    parameters: encode(parameters, { ...args, scheme: ALG.null }, 'TPM2_Quote'),
    response: struct({ quoted: sizedBytes(2304), signature: tpmtSignature }),
  });
  return result;
}

/** TPM2_FlushContext, §28.4: forgets a transient key or a session. */
export async function flushContext(tpm: Tpm, handle: number): Promise<void> {
  const parameters = encode(u32, handle);
  await run(tpm, { name: 'TPM2_FlushContext', code: CC.flushContext, parameters, response: nothing });
}
