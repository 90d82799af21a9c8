/** Commands about keys, Part 3: making, loading, activating, quoting. */

import { data, name } from './attest.ts';
import { type Authorization, EMPTY_PASSWORD, type SessionUse } from './authorization.ts';
import { decode, encode, rest, sizedBytes, u16 } from './codec.ts';
import { run, type Tpm } from './command.ts';
import { ALG, CC } from './constants.ts';
import { sensitiveCreate } from './creation.ts';
import { opaqueIdObject, tpm2bEncryptedSecret } from './credential.ts';
import { type PcrSelection, pcrSelections } from './pcr-selection.ts';
import { digest, type TpmtPublic, tpm2bPublic } from './public-area.ts';
import { type TpmtSignature, tpmtSignature } from './signature.ts';
import { struct } from './struct.ts';
import { creationTicket } from './tickets.ts';

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

/** TPM2_Create, §12.1: a child of a storage key, to be loaded with `load`. A session wants `parentName` too. */
export async function create(
  tpm: Tpm,
  args: {
    readonly parent: number;
    readonly parentName?: Uint8Array;
    readonly template: TpmtPublic;
    readonly authorization?: Authorization;
    /** Password of the new object, and data to seal in it. A session with `decrypt` hides them on the bus. */
    readonly sensitive?: { readonly userAuth: Uint8Array; readonly data: Uint8Array };
    readonly sessions?: readonly SessionUse[];
  },
): Promise<{ readonly privateArea: Uint8Array; readonly publicArea: Uint8Array; readonly creationData: Uint8Array }> {
  const { result } = await run(tpm, {
    name: 'TPM2_Create',
    code: CC.create,
    handles: [args.parent],
    names: [args.parentName],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    sessions: args.sessions,
    parameters: encode(createParameters, {
      sensitive: args.sensitive ?? NO_SECRET,
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
    readonly parentName?: Uint8Array;
    readonly privateArea: Uint8Array;
    readonly publicArea: Uint8Array;
    readonly authorization?: Authorization;
  },
): Promise<{ readonly handle: number; readonly name: Uint8Array }> {
  const { handle, result } = await run(tpm, {
    name: 'TPM2_Load',
    code: CC.load,
    handles: [args.parent],
    names: [args.parentName],
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
  protection: { readonly name?: Uint8Array; readonly sessions?: readonly SessionUse[] } = {},
): Promise<{ readonly publicArea: Uint8Array; readonly name: Uint8Array; readonly qualifiedName: Uint8Array }> {
  const { result } = await run(tpm, {
    name: 'TPM2_ReadPublic',
    code: CC.readPublic,
    handles: [handle],
    names: [protection.name],
    sessions: protection.sessions,
    response: struct({ publicArea: publicBytes, name, qualifiedName: name }),
  });
  return result;
}

/** TPM2_ActivateCredential, §12.5: both values are TPM2Bs, with their two-byte sizes, as MakeCredential gave them. */
export async function activateCredential(
  tpm: Tpm,
  args: {
    readonly akHandle: number;
    readonly ekHandle: number;
    /** Names of both; wanted where a session protects the command. */
    readonly akName?: Uint8Array;
    readonly ekName?: Uint8Array;
    readonly ekAuthorization: Authorization;
    readonly credentialBlob: Uint8Array;
    readonly encryptedSecret: Uint8Array;
  },
): Promise<Uint8Array> {
  const { result } = await run(tpm, {
    name: 'TPM2_ActivateCredential',
    code: CC.activateCredential,
    handles: [args.akHandle, args.ekHandle],
    names: [args.akName, args.ekName],
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

/** TPM2_Quote, §18.4, with the key's own scheme. With `authorization` a session, `name` is wanted too. `quoted` is the TPMS_ATTEST that was signed, byte for byte. */
export async function quote(
  tpm: Tpm,
  args: {
    readonly handle: number;
    readonly name?: Uint8Array;
    readonly authorization?: Authorization;
    readonly qualifyingData: Uint8Array;
    readonly selection: readonly PcrSelection[];
  },
): Promise<{ readonly quoted: Uint8Array; readonly signature: TpmtSignature }> {
  const parameters = struct({ qualifyingData: data, scheme: u16, selection: pcrSelections });
  const { result } = await run(tpm, {
    name: 'TPM2_Quote',
    code: CC.quote,
    handles: [args.handle],
    names: [args.name],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    parameters: encode(parameters, { ...args, scheme: ALG.null }, 'TPM2_Quote'),
    response: struct({ quoted: sizedBytes(2304), signature: tpmtSignature }),
  });
  return result;
}

/** TPM2_Unseal, §12.7: the data that `create` sealed. */
export async function unseal(
  tpm: Tpm,
  args: { readonly handle: number; readonly name?: Uint8Array; readonly authorization?: Authorization },
): Promise<Uint8Array> {
  const { result } = await run(tpm, {
    name: 'TPM2_Unseal',
    code: CC.unseal,
    handles: [args.handle],
    names: [args.name],
    authorizations: [args.authorization ?? EMPTY_PASSWORD],
    response: sizedBytes(256),
  });
  return result;
}
