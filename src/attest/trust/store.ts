/**
 * A trust store as data: the authorities that somebody named, certificates that help on the way from an EK certificate to
 * one of them, and revocation lists. Kept is what was imported and who took responsibility for it; all else is read off
 * the certificates again.
 */
import { fromBase64, toBase64, toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { type Certificate, parseCertificate } from '../endorsement/certificate.ts';
import { parseRevocationList, type RevocationList } from '../endorsement/revocation.ts';
import { type VendorRoot, vendorRootOf } from '../endorsement/vendor-roots.ts';
import type { TpmClass } from '../evidence.ts';
import { TPM_CLASSES } from '../policy/policy.ts';
import { array, object, oneOf, readJson, text } from '../strict-json.ts';

export class TrustStoreError extends CodedError<'TRUST_STORE_MALFORMED'> {}

export interface StoredCertificate {
  readonly certificate: Certificate;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
}

export interface StoredAnchor extends StoredCertificate {
  /** What the table of vendors says of it; null: it was named by hand. */
  readonly known: VendorRoot | null;
  /** Which TPMs it stands for, as said by whoever named it by hand; null: nothing was said. */
  readonly statedClass: TpmClass | null;
}

export interface StoredList {
  readonly der: Uint8Array;
  readonly list: RevocationList;
}

export interface TrustStore {
  readonly anchors: readonly StoredAnchor[];
  readonly intermediates: readonly StoredCertificate[];
  readonly revocationLists: readonly StoredList[];
}

export const EMPTY_STORE: TrustStore = { anchors: [], intermediates: [], revocationLists: [] };

const MAX_ENTRIES = 10_000;
const base64 = text(8 * 1024 * 1024);
const storeShape = object({
  version: oneOf([1]),
  anchors: array(
    object({ certificate: base64, namedByHand: oneOf([true, false]), class: oneOf([null, ...TPM_CLASSES]) }),
    {
      max: MAX_ENTRIES,
    },
  ),
  intermediates: array(base64, { max: MAX_ENTRIES }),
  revocationLists: array(base64, { max: MAX_ENTRIES }),
});

/** UTF-8 JSON as `encodeTrustStore` writes it. @throws TrustStoreError */
export function parseTrustStore(json: Uint8Array | string, crypto: AttestCrypto): TrustStore {
  try {
    const read = readJson(json, storeShape, 'trust store');
    return {
      anchors: read.anchors.map((each) => {
        const anchor = { ...storedCertificate(fromBase64(each.certificate), crypto), statedClass: each.class };
        const known = vendorRootOf(anchor.fingerprint);
        // a root that a later version does not list any more, or a file that was edited
        if (known === null && !each.namedByHand) throw new Error(`the root ${anchor.fingerprint} is not a known one`);
        return { ...anchor, known };
      }),
      intermediates: read.intermediates.map((each) => storedCertificate(fromBase64(each), crypto)),
      revocationLists: read.revocationLists.map((each) => storedList(fromBase64(each))),
    };
  } catch (cause) {
    throw new TrustStoreError('TRUST_STORE_MALFORMED', 'the trust store cannot be read', {
      cause,
      nextStep: 'move the file away and import the certificates again',
    });
  }
}

export function encodeTrustStore(store: TrustStore): string {
  const anchors = store.anchors.map(({ certificate, known, statedClass }) => ({
    certificate: toBase64(certificate.der),
    namedByHand: known === null,
    class: statedClass,
  }));
  const intermediates = store.intermediates.map(({ certificate }) => toBase64(certificate.der));
  const revocationLists = store.revocationLists.map(({ der }) => toBase64(der));
  return `${JSON.stringify({ version: 1, anchors, intermediates, revocationLists }, null, 1)}\n`;
}

/** @throws CertificateError */
export function storedCertificate(der: Uint8Array, crypto: AttestCrypto): StoredCertificate {
  return { certificate: parseCertificate(der), fingerprint: toHex(crypto.hash('sha256', der)) };
}

/** @throws RevocationListError */
export const storedList = (der: Uint8Array): StoredList => ({ der, list: parseRevocationList(der) });
