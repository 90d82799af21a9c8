/**
 * What EK certificates are judged with: the authorities that whoever judges has named, certificates and revocation lists
 * that help on the way. Read once, and what was learned about authorities on the way is remembered, within bounds.
 */
import { toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { CertifiedKey } from '../der/der-key.ts';
import { canonicalName } from '../der/der-name.ts';
import type { TpmClass } from '../evidence.ts';
import { rememberingBytes } from '../remembering.ts';
import { type Certificate, type CertificateQuirk, parseCertificate } from './certificate.ts';
import type { Endorser } from './ek-class.ts';
import type { PathSources } from './ek-path.ts';
import { unwrapStoredCertificate } from './ek-storage.ts';
import { parseRevocationList, type RevocationList } from './revocation.ts';
import { vendorRootOf } from './vendor-roots.ts';

/** All DER. What is in here was named by whoever judges; `extraCertificates` are untrusted all the same. */
export interface TrustInput {
  readonly anchors: readonly Uint8Array[];
  /** Intermediates, and EK certificates of TPMs that hold none in NV. */
  readonly extraCertificates: readonly Uint8Array[];
  readonly revocationLists: readonly Uint8Array[];
  /** By SHA-256 in lower-case hex: the class of TPMs that an anchor outside the table of vendors stands for. */
  readonly anchorClasses?: Readonly<Record<string, TpmClass>> | undefined;
}

export interface PreparedTrust extends PathSources {
  /** None: every TPM is of class `unknown`. */
  readonly anchorCount: number;
  /**
   * The same with only those anchors that say what kind of TPM they stand for; the others count as certificates on the way.
   * Null where that is the same. A path that ends in one of them is preferred: people name whole bundles.
   */
  readonly classified: PathSources | null;
  /** How each anchor is known; every path ends in one of these. */
  readonly endorsers: ReadonlyMap<Certificate, Endorser & { readonly fingerprint: string }>;
  /** EK certificates handed over by hand, by their key. */
  readonly leaves: (key: CertifiedKey) => StoredLeaf | null;
  readonly revocationLists: (issuer: Uint8Array) => readonly RevocationList[];
  /** An authority's certificate out of the evidence, read once for all machines that send it. @throws CertificateError */
  readonly authority: (der: Uint8Array) => Certificate;
  /** An EK certificate out of the evidence; that of a machine which comes again is read once. @throws CertificateError, DerError */
  readonly leaf: (stored: Uint8Array) => StoredLeaf;
}

export interface StoredLeaf {
  readonly certificate: Certificate;
  /** Of the certificate and of how it was stored. */
  readonly quirks: readonly CertificateQuirk[];
}

/** Vendors have a few dozen intermediates each; a hostile sender can only push others out. */
const MAX_REMEMBERED = 256;

/**
 * `rememberedMachines`: how many EK certificates are not read anew each time.
 * @throws CertificateError, DerError, RevocationListError: what cannot be read cannot be judged with
 */
export function prepareTrust(input: TrustInput, crypto: AttestCrypto, rememberedMachines = 0): PreparedTrust {
  const endorsers = new Map<Certificate, Endorser & { readonly fingerprint: string }>();
  for (const der of new Map(input.anchors.map((each) => [toHex(each), each])).values()) {
    const certificate = parseCertificate(der);
    const fingerprint = toHex(crypto.hash('sha256', der));
    const statedClass = input.anchorClasses?.[fingerprint] ?? null;
    endorsers.set(certificate, { certificate, fingerprint, known: vendorRootOf(fingerprint), statedClass });
  }
  const extras = input.extraCertificates.map(readLeaf);
  const authorities = extras.filter(({ certificate }) => certificate.isCa).map(({ certificate }) => certificate);
  const leaves = new Map(extras.map((leaf) => [keyId(leaf.certificate.publicKey), leaf]));
  const lists = groupBy(input.revocationLists.map(parseRevocationList), (list) => canonicalName(list.issuer));
  const known: PathSources['known'] = new WeakMap();
  const anchors = [...endorsers.keys()];
  const telling = anchors.filter((each) => saysKind(endorsers.get(each)));
  const others = anchors.filter((each) => !telling.includes(each));
  return {
    ...sourcesOf(anchors, authorities, known),
    classified: others.length === 0 ? null : sourcesOf(telling, [...authorities, ...others], known),
    anchorCount: endorsers.size,
    endorsers,
    leaves: (key) => leaves.get(keyId(key)) ?? null,
    revocationLists: (issuer) => lists.get(canonicalName(issuer)) ?? [],
    authority: rememberingBytes(MAX_REMEMBERED, parseCertificate),
    leaf: rememberingBytes(rememberedMachines, readLeaf),
  };
}

const saysKind = (endorser: Endorser | undefined): boolean =>
  endorser !== undefined && (endorser.known !== null || endorser.statedClass !== null);

function sourcesOf(
  anchors: readonly Certificate[],
  authorities: readonly Certificate[],
  known: PathSources['known'],
): PathSources {
  const [anchorsByName, authoritiesByName] = [anchors, authorities].map((from) =>
    groupBy(from, (each) => canonicalName(each.subject)),
  );
  return {
    anchors: (subject) => anchorsByName?.get(canonicalName(subject)) ?? [],
    intermediates: (subject) => authoritiesByName?.get(canonicalName(subject)) ?? [],
    known,
  };
}

/** An EK certificate as stored, with the tolerance that only EK certificates have. @throws CertificateError, DerError */
export function readLeaf(stored: Uint8Array): StoredLeaf {
  const { der, quirks } = unwrapStoredCertificate(stored);
  const certificate = parseCertificate(der);
  return { certificate, quirks: [...new Set([...quirks, ...certificate.quirks])] };
}

function keyId(key: CertifiedKey): string {
  if (key.kind === 'rsa') return `rsa ${latin1(key.exponent)} ${latin1(key.modulus)}`;
  return key.kind === 'ec' ? `${key.curve} ${latin1(key.x)}${latin1(key.y)}` : `other ${key.algorithm}`;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += 4096) {
    text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  }
  return text;
}

function groupBy<T>(items: readonly T[], id: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(id(item));
    if (group === undefined) groups.set(id(item), [item]);
    else group.push(item);
  }
  return groups;
}
