/** What `attest trust` reads: certificates and revocation lists in PEM or DER, keys of TPMs in whatever form they come. */
import { decode } from 'tpm2-ts/codec';
import { tpm2bPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { type CertifiedKey, publicKeyOfSpki, publicKeyOfTpm } from '../../attest/der/der-key.ts';
import { parseCertificate } from '../../attest/endorsement/certificate.ts';
import { readLeaf } from '../../attest/endorsement/ek-trust.ts';
import { parseRevocationList } from '../../attest/endorsement/revocation.ts';
import type { TrustMaterial } from '../../attest/trust/import.ts';
import { parseReport } from '../../protocol/report-document.ts';
import { fromBase64 } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { readPem } from '../../shared/pem.ts';
import { AttestCommandError, read } from './files.ts';

export class EkFileError extends CodedError<'EK_FILE_BAD'> {}

/** Every certificate and revocation list in these files. @throws AttestCommandError for a file with neither, or with one that cannot be read */
export async function readTrustMaterial(paths: readonly string[]): Promise<TrustMaterial> {
  const all = await Promise.all(paths.map(async (path) => materialOf(path, await read(path))));
  return {
    certificates: all.flatMap(({ certificates }) => certificates),
    revocationLists: all.flatMap(({ revocationLists }) => revocationLists),
  };
}

/**
 * EK certificates brought by hand, and authorities in between: PEM, DER, what was read from NV (head and padding are taken
 * off when it is judged), or the JSON in which Intel's service answers.
 */
export async function readEkCertificates(paths: readonly string[]): Promise<readonly Uint8Array[]> {
  const all = await Promise.all(
    paths.map(async (path) => {
      const bytes = await read(path);
      try {
        const certificates = ekCertificatesOf(bytes);
        certificates.forEach(readLeaf);
        return certificates;
      } catch (cause) {
        throw new AttestCommandError('TRUST_FILE_BAD', `${path} holds no EK certificate that can be read`, {
          cause,
          nextStep: "give the certificate in PEM or DER, as read from the TPM, or as the maker's service answered",
        });
      }
    }),
  );
  return all.flat();
}

/** The key of an EK: a report, a TPM2B_PUBLIC or TPMT_PUBLIC as tpm2-tools write them, or a public key in PEM or DER. */
export async function readEkKey(path: string): Promise<CertifiedKey> {
  const bytes = await read(path);
  try {
    return keyOf(bytes);
  } catch (cause) {
    throw new EkFileError('EK_FILE_BAD', `${path} holds no key of a TPM`, {
      cause,
      nextStep: 'give a report, the output of tpm2_readpublic or tpm2_createek, or a public key in PEM',
    });
  }
}

function materialOf(path: string, bytes: Uint8Array): TrustMaterial {
  try {
    if (bytes[0] === 0x30) return derMaterial(bytes);
    const text = new TextDecoder('latin1').decode(bytes);
    const certificates = readPem(text, 'CERTIFICATE');
    const revocationLists = readPem(text, 'X509 CRL');
    certificates.forEach(parseCertificate);
    revocationLists.forEach(parseRevocationList);
    if (certificates.length + revocationLists.length > 0) return { certificates, revocationLists };
    throw new Error('there is neither "BEGIN CERTIFICATE" nor "BEGIN X509 CRL" in it, and it is not DER');
  } catch (cause) {
    throw new AttestCommandError('TRUST_FILE_BAD', `${path} cannot be used`, {
      cause,
      nextStep: 'give certificates or revocation lists of authorities, in PEM or DER',
    });
  }
}

function derMaterial(bytes: Uint8Array): TrustMaterial {
  try {
    parseRevocationList(bytes);
    return { certificates: [], revocationLists: [bytes] };
  } catch {
    parseCertificate(bytes);
    return { certificates: [bytes], revocationLists: [] };
  }
}

function ekCertificatesOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes[0] === 0x30 || bytes[0] === 0x10) return [bytes];
  const text = new TextDecoder('latin1').decode(bytes);
  if (!text.trimStart().startsWith('{')) {
    const blocks = readPem(text, 'CERTIFICATE');
    if (blocks.length === 0) throw new Error('there is no "BEGIN CERTIFICATE" in it, and it is neither DER nor JSON');
    return blocks;
  }
  const { certificate } = JSON.parse(text) as { readonly certificate?: unknown };
  if (typeof certificate !== 'string') throw new Error('its JSON has no "certificate"');
  const base64 = decodeURIComponent(certificate).replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  return [fromBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, '='))];
}

function keyOf(bytes: Uint8Array<ArrayBuffer>): CertifiedKey {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 4096));
  if (text.trimStart().startsWith('{')) return ofPublicArea(parseReport(bytes).evidence.ekPublic);
  const [pem] = readPem(text, 'PUBLIC KEY');
  if (pem !== undefined) return publicKeyOfSpki(pem);
  return bytes[0] === 0x30 ? publicKeyOfSpki(bytes) : ofPublicArea(bytes);
}

/** TPM2B_PUBLIC begins with the length of what follows, TPMT_PUBLIC with its type. */
function ofPublicArea(bytes: Uint8Array): CertifiedKey {
  const sized = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0) === bytes.length - 2;
  const key = publicKeyOfTpm(sized ? decode(tpm2bPublic, bytes, 'EK') : decode(tpmtPublic, bytes, 'EK'));
  if (key === null) throw new Error('it is neither RSA nor on a NIST curve');
  return key;
}
