/**
 * Takes certificates and revocation lists into a trust store, all or nothing. A root becomes an anchor because its
 * fingerprint is known here, or because whoever imports it names that fingerprint; nothing becomes one by what it says.
 */

import { equalBytes } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { canonicalName, nameText } from '../der/der-name.ts';
import { isSignedBy } from '../endorsement/certificate.ts';
import { vendorRootOf } from '../endorsement/vendor-roots.ts';
import type { TpmClass } from '../evidence.ts';
import { type StoredAnchor, type StoredCertificate, storedCertificate, storedList, type TrustStore } from './store.ts';

export class TrustImportError extends CodedError<
  'TRUST_ROOT_UNKNOWN' | 'TRUST_NOT_AUTHORITY' | 'TRUST_FINGERPRINT_ABSENT'
> {}

export interface TrustMaterial {
  /** DER, as found in the files. */
  readonly certificates: readonly Uint8Array[];
  readonly revocationLists: readonly Uint8Array[];
}

/** By SHA-256 in lower-case hex: authorities outside the table that are to be anchors, and the class they stand for (null: not said). */
export type NamedRoots = ReadonlyMap<string, TpmClass | null>;

export interface ImportResult {
  readonly store: TrustStore;
  readonly anchors: readonly StoredAnchor[];
  readonly intermediates: readonly StoredCertificate[];
  readonly revocationLists: number;
  /** Were in the store already. */
  readonly present: number;
}

/** @throws TrustImportError, CertificateError, RevocationListError: then nothing was taken */
export function importTrust(
  store: TrustStore,
  material: TrustMaterial,
  named: NamedRoots,
  crypto: AttestCrypto,
): ImportResult {
  const given = unique(material.certificates.map((der) => storedCertificate(der, crypto)));
  requireAllNamedPresent(given, named);
  const leaf = given.find(({ certificate }) => !certificate.isCa);
  if (leaf !== undefined) throw notAuthority(leaf);

  const anchors: StoredAnchor[] = [];
  const intermediates: StoredCertificate[] = [];
  const strangers: StoredCertificate[] = [];
  for (const each of given) {
    const known = vendorRootOf(each.fingerprint);
    if (known !== null) anchors.push({ ...each, known, statedClass: null });
    else if (named.has(each.fingerprint)) {
      anchors.push({ ...each, known, statedClass: named.get(each.fingerprint) ?? null });
    } else if (isRoot(each, crypto)) strangers.push(each);
    else intermediates.push(each);
  }
  if (strangers.length > 0) throw unknownRoots(strangers);

  const lists = material.revocationLists.map(storedList);
  const newLists = lists.filter(({ der }) => !store.revocationLists.some((each) => equalBytes(each.der, der)));
  const renamed = anchors.filter((each) => isNews(each, store));
  const newIntermediates = without(intermediates, [...store.intermediates, ...store.anchors]);
  return {
    store: {
      anchors: [...without(store.anchors, renamed), ...renamed],
      intermediates: [...without(store.intermediates, renamed), ...newIntermediates],
      // of one authority the newest list counts, so older ones may stay
      revocationLists: [...store.revocationLists, ...newLists],
    },
    anchors: renamed,
    intermediates: newIntermediates,
    revocationLists: newLists.length,
    present: given.length - renamed.length - newIntermediates.length + lists.length - newLists.length,
  };
}

/** Not in the store, or there with another statement about its class. */
function isNews(anchor: StoredAnchor, store: TrustStore): boolean {
  const stored = store.anchors.find(({ fingerprint }) => fingerprint === anchor.fingerprint);
  return stored === undefined || stored.statedClass !== anchor.statedClass;
}

/** Signed by itself: an authority with nobody above it. */
function isRoot({ certificate }: StoredCertificate, crypto: AttestCrypto): boolean {
  if (canonicalName(certificate.issuer) !== canonicalName(certificate.subject)) return false;
  return isSignedBy(certificate.signed, certificate, crypto, { sha1: 'allowed' });
}

const without = <T extends StoredCertificate>(from: readonly T[], those: readonly StoredCertificate[]): readonly T[] =>
  from.filter(({ fingerprint }) => !those.some((each) => each.fingerprint === fingerprint));

const unique = (certificates: readonly StoredCertificate[]): readonly StoredCertificate[] => [
  ...new Map(certificates.map((each) => [each.fingerprint, each])).values(),
];

function requireAllNamedPresent(given: readonly StoredCertificate[], named: NamedRoots): void {
  const absent = [...named.keys()].find((name) => !given.some(({ fingerprint }) => fingerprint === name));
  if (absent === undefined) return;
  throw new TrustImportError('TRUST_FINGERPRINT_ABSENT', `no certificate in these files has the SHA-256 ${absent}`, {
    nextStep: 'compare the fingerprint with: openssl x509 -noout -fingerprint -sha256 -in FILE',
  });
}

function notAuthority({ certificate, fingerprint }: StoredCertificate): TrustImportError {
  return new TrustImportError(
    'TRUST_NOT_AUTHORITY',
    `${nameText(certificate.subject)} (SHA-256 ${fingerprint}) is no certificate of an authority`,
    { nextStep: 'give the EK certificate of a machine to: cpushare attest verify --ek-certificate FILE' },
  );
}

function unknownRoots(strangers: readonly StoredCertificate[]): TrustImportError {
  const names = strangers.map(
    ({ certificate, fingerprint }) => `${nameText(certificate.subject)} (SHA-256 ${fingerprint})`,
  );
  return new TrustImportError('TRUST_ROOT_UNKNOWN', `not in the table of known TPM vendors: ${names.join('; ')}`, {
    nextStep: `if you know whose it is, name it and the TPMs it stands for: --allow-unknown ${strangers[0]?.fingerprint}=CLASS`,
  });
}
