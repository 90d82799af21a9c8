/** Real TPM data for tests, outside this repository: tests that need it are skipped where the folder is absent. */
import { existsSync, readFileSync } from 'node:fs';

const folder = new URL('../../../../../shared/vectors/', import.meta.url);
export const haveVectors = existsSync(folder);
/** Put into test titles, so that a skipped test says why. */
export const vectorsNote = haveVectors ? '' : ' (skipped: no vectors)';

export function vector(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, folder)));
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
