/** The quotes of real TPMs under ../shared/vectors, each with its AK. Empty where that folder is absent. */
import { createPublicKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decode, encode } from 'tpm2-ts/codec';
import { type TpmtPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { subjectPublicKeyInfo } from 'tpm2-ts/public-key';
import { akTemplate } from 'tpm2-ts/templates';

export interface RealQuote {
  readonly name: string;
  /** TPMS_ATTEST and TPMT_SIGNATURE as the TPM gave them. */
  readonly quote: Uint8Array;
  readonly signature: Uint8Array;
  /** TPMT_PUBLIC; made from the bare key where only that was recorded. */
  readonly akPublic: Uint8Array;
  readonly akPem: string;
}

const folder = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url));
export const haveVectors = existsSync(folder);

export function realQuotes(): readonly RealQuote[] {
  if (!haveVectors) return [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const bytes = (file: string): Uint8Array => new Uint8Array(readFileSync(folder + file));
  return files
    .filter((file) => file.endsWith('quote.tpms_attest.bin'))
    .sort()
    .map((file) => {
      const stem = file.slice(0, -'quote.tpms_attest.bin'.length);
      const areas = [`${stem}ak.tpmt_public.bin`].filter((each) => files.includes(each));
      const pems = [`${stem}ak.spki.pem`, `${stem}ak.pem`].filter((each) => files.includes(each));
      const akPublic = areas[0] === undefined ? areaOf(readFileSync(folder + pems[0], 'utf8')) : bytes(areas[0]);
      return {
        name: stem,
        quote: bytes(file),
        signature: bytes(`${stem}quote.tpmt_signature.bin`),
        akPublic,
        akPem: pemOf(akPublic),
      };
    });
}

export function pemOf(akPublic: Uint8Array): string {
  const der = Buffer.from(subjectPublicKeyInfo(decode(tpmtPublic, akPublic)));
  return createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ format: 'pem', type: 'spki' }).toString();
}

/** As an AK of ours with that key in it. */
function areaOf(pem: string): Uint8Array {
  const jwk = createPublicKey(pem).export({ format: 'jwk' });
  const field = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  const area = akTemplate(jwk.kty === 'EC' ? 'ecc' : 'rsa', 'recorded');
  const made: TpmtPublic =
    area.type === 'ecc'
      ? { ...area, unique: { x: field(jwk.x), y: field(jwk.y) } }
      : ({ ...area, unique: field(jwk.n) } as TpmtPublic);
  return encode(tpmtPublic, made);
}
