/** `makeCredential` with Node.js' cryptography. */
import { nodeCrypto } from './crypto-node.ts';
import { type Credential, type CredentialRequest, makeCredential as makeWith } from './make-credential.ts';

export type { Credential, CredentialRequest };

/** @throws TpmKeyError when the EK is no storage key of a supported kind, TpmCodecError when it is malformed */
export function makeCredential(request: CredentialRequest): Credential {
  return makeWith(request, nodeCrypto);
}
