/** EK certificates under authorities of our own, and how they are judged: shared by the tests of EK chains. */
import type { KeyObject } from 'node:crypto';
import { toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { judgeEk } from '../endorsement/ek.ts';
import { prepareTrust, type TrustInput } from '../endorsement/ek-trust.ts';
import {
  type CertificateFields,
  ekPublicOf,
  newKey,
  type Signer,
  spkiOf,
  tpmName,
  usages,
  writeCertificate,
} from './certificate-writer-node.ts';
import * as w from './der-writer.ts';

export const TIME = new Date('2026-11-21T07:00:00Z');
export const INFINEON = 'id:49465800';

export type Authority = Signer & { readonly certificate: Uint8Array; readonly fingerprint: string };

export function authority(
  text: string,
  by?: Signer,
  fields: Partial<CertificateFields> = {},
  key = newKey(),
): Authority {
  const name = w.commonName(text);
  const own: Signer = { key, name };
  const certificate = writeCertificate({
    signer: by ?? own,
    subject: name,
    publicKeyInfo: spkiOf(key),
    extensions: [usages.ca, usages.certSign],
    ...fields,
  });
  return { ...own, certificate, fingerprint: toHex(crypto.hash('sha256', certificate)) };
}

export const ekKey = newKey();
export const root = authority('Some Root');
export const middle = authority('Some Intermediate', root);
export const leafUnder = (
  signer: Signer,
  fields: Partial<CertificateFields> = {},
  key: KeyObject = ekKey,
): Uint8Array =>
  writeCertificate({
    signer,
    subject: w.sequence(),
    publicKeyInfo: spkiOf(key),
    extensions: [
      usages.ek,
      tpmName(INFINEON),
      key.asymmetricKeyType === 'rsa' ? usages.keyEncipherment : usages.keyAgreement,
    ],
    ...fields,
  });

export function judge(
  certificates: readonly Uint8Array[],
  trust: Partial<TrustInput> = {},
  key: KeyObject = ekKey,
  time = TIME,
) {
  const input = { anchors: [root.certificate], extraCertificates: [], revocationLists: [], ...trust };
  return judgeEk(certificates, ekPublicOf(key), prepareTrust(input, crypto), time, crypto);
}
export const HARDWARE = { [root.fingerprint]: 'hardware' } as const;
export const codeOf = (judged: ReturnType<typeof judge>): string | null =>
  'code' in judged ? judged.code : judged.unknownCode;
export const identityOf = (judged: ReturnType<typeof judge>) => {
  if ('code' in judged) throw new Error(judged.sentence);
  return judged.identity;
};
