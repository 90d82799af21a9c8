/** Whole NV indexes, as far as anybody may read them. */
import type { Tpm } from './command.ts';
import { getCapability, nvRead, nvReadPublic } from './commands-state.ts';
import { PROPERTY, RH } from './constants.ts';
import { TpmCodecError } from './errors.ts';
import { TpmResponseError } from './response-code.ts';

/** The whole content of an index, read in pieces as large as the TPM allows; a text says why there is none. */
export async function readNv(tpm: Tpm, index: number): Promise<Uint8Array | string> {
  try {
    return await read(tpm, index);
  } catch (error) {
    // One index that this TPM describes oddly, or keeps to itself, is no reason to give up on the others.
    if (error instanceof TpmCodecError || error instanceof TpmResponseError) return error.message;
    throw error;
  }
}

async function read(tpm: Tpm, index: number): Promise<Uint8Array | string> {
  const { nvPublic } = await nvReadPublic(tpm, index);
  const { attributes } = nvPublic;
  if (!attributes.written) return 'was never written';
  const authHandle = attributes.authRead ? index : attributes.ownerRead ? RH.owner : undefined;
  if (authHandle === undefined) return 'may be read neither with its own nor with the owner authorization';
  const pieceSize = await nvBufferMax(tpm);
  const content = new Uint8Array(nvPublic.dataSize);
  for (let offset = 0; offset < content.length; ) {
    const size = Math.min(pieceSize, content.length - offset);
    const piece = await nvRead(tpm, { index, authHandle, size, offset });
    if (piece.length !== size) return `gave ${piece.length} bytes where ${size} were asked for`;
    content.set(piece, offset);
    offset += size;
  }
  return content;
}

async function nvBufferMax(tpm: Tpm): Promise<number> {
  const { data } = await getCapability(tpm, { capability: 'tpmProperties', property: PROPERTY.nvBufferMax, count: 1 });
  const found = data.properties.find(({ property }) => property === PROPERTY.nvBufferMax)?.value ?? 512;
  return Math.max(64, Math.min(found, 2048));
}
