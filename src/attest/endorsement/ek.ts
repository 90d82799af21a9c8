/**
 * Who made this TPM? The EK certificate, its path to an authority that the verifier named, and the class that follows.
 * The class is never inferred upwards: what is not shown to be hardware by a known vendor's root is not hardware.
 */
import type { TpmtPublic } from 'tpm2-ts/public-area';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { DerError } from '../der/der.ts';
import { type CertifiedKey, keyText, publicKeyOfTpm, sameKey } from '../der/der-key.ts';
import { canonicalName, nameText } from '../der/der-name.ts';
import type { TpmClass } from '../evidence.ts';
import type { Failure } from '../ledger.ts';
import type { RefusalCode } from '../refusal-codes.ts';
import { weaknessesOf } from '../result/limits.ts';
import type { Verdict } from '../verdict.ts';
import { type Certificate, CertificateError, type CertificateQuirk } from './certificate.ts';
import { classify, manufacturerOf, modelOf } from './ek-class.ts';
import { EK_USAGE, findPath, newEffort, type PathSources } from './ek-path.ts';
import { judgeEkObject } from './ek-public.ts';
import { judgeRevocation } from './ek-revocation.ts';
import type { PreparedTrust, StoredLeaf } from './ek-trust.ts';

export type TpmIdentity = Verdict['tpm'];

export interface JudgedTpm {
  readonly identity: TpmIdentity;
  /** Why the class is `unknown`, where that has a reason of its own. */
  readonly unknownCode: RefusalCode | null;
}

/** The EK certificate and the chain that NV has room for. */
const MAX_CERTIFICATES = 12;

/** Nothing was judged yet: the least that can be said. */
export const UNJUDGED_TPM: TpmIdentity = {
  class: 'unknown',
  manufacturer: null,
  model: null,
  evidence: 'not judged',
  weaknesses: weaknessesOf('unknown', []),
  anchor: null,
  quirks: [],
};

/**
 * `certificates`: EK certificate first, then what else the TPM holds; untrusted. A failure is evidence that contradicts
 * itself or what was handed over by hand; a TPM that nobody vouches for is genuine and of class `unknown`.
 */
export function judgeEk(
  certificates: readonly Uint8Array[],
  ek: TpmtPublic,
  trust: PreparedTrust,
  time: Date,
  crypto: AttestCrypto,
): JudgedTpm | Failure {
  const object = judgeEkObject(ek);
  const key = publicKeyOfTpm(ek);
  if (!object.safe || key === null) {
    const sentence = `The EK ${object.safe ? 'is no key on a curve or of RSA' : object.sentence}, so it is no endorsement key.`;
    return { code: 'EK_ATTRIBUTES_UNSAFE', family: 'false', sentence };
  }
  const read = readCertificates(certificates, key, trust);
  if ('code' in read) return read;
  const quirks = object.template === null ? ['ek-template'] : [];
  if (read.leaf === null) {
    const reason = 'The TPM holds no EK certificate, and none for its EK was handed over';
    return unknown('EK_CERTIFICATE_MISSING', reason, null, quirks);
  }
  const { leaf, chain } = read;
  quirks.push(...leaf.quirks);
  if (!sameKey(leaf.certificate.publicKey, key)) return keyMismatch(leaf.certificate, key);
  return purposeFailure(leaf.certificate, key) ?? judgePath(leaf.certificate, chain, quirks, trust, time, crypto);
}

function readCertificates(
  certificates: readonly Uint8Array[],
  key: CertifiedKey,
  trust: PreparedTrust,
): { readonly leaf: StoredLeaf | null; readonly chain: readonly Certificate[] } | Failure {
  const [first, ...others] = certificates;
  try {
    if (certificates.length > MAX_CERTIFICATES)
      return malformed(`${certificates.length} certificates were handed over`);
    if (first === undefined) return { leaf: trust.leaves(key), chain: [] };
    return { leaf: trust.leaf(first), chain: others.map(trust.authority) };
  } catch (error) {
    if (!(error instanceof CertificateError || error instanceof DerError)) throw error;
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    return malformed(`${error.message}${cause}`);
  }
}

function judgePath(
  leaf: Certificate,
  chain: readonly Certificate[],
  quirks: readonly string[],
  trust: PreparedTrust,
  time: Date,
  crypto: AttestCrypto,
): JudgedTpm | Failure {
  if (trust.anchorCount === 0) {
    return unknown(
      'EK_AUTHORITY_UNKNOWN',
      'No authority for TPMs is trusted, so nobody vouches for this one',
      leaf,
      quirks,
    );
  }
  const found = search(leaf, chain, trust, time.getTime(), crypto);
  if (!('path' in found)) {
    if (found.kind === 'unknown') {
      const reason = `No trusted authority signed the EK certificate of ${nameText(leaf.subject)}: ${found.sentence}`;
      return unknown('EK_AUTHORITY_UNKNOWN', reason, leaf, quirks);
    }
    const code = found.kind === 'expired' ? 'EK_CERTIFICATE_EXPIRED' : 'EK_CHAIN_INVALID';
    const family = found.kind === 'expired' ? 'policy' : 'false';
    return { code, family, sentence: `The chain of the EK certificate does not hold: ${found.sentence}.` };
  }
  const revocation = judgeRevocation(found.path, trust, time.getTime(), crypto);
  if ('code' in revocation) return revocation;
  const anchor = trust.endorsers.get(found.path.at(-1) ?? leaf);
  if (anchor === undefined) throw new Error('a path that ends in no anchor');
  const judged = classify(found.path, anchor);
  const lists = revocation.lists === 0 ? '' : `; ${revocation.lists} current revocation list(s) do not name it`;
  const identity = identityOf(judged.class, `${judged.evidence}${lists}`, leaf, quirks);
  const subject = nameText(anchor.certificate.subject);
  return { identity: { ...identity, anchor: { fingerprint: anchor.fingerprint, subject } }, unknownCode: null };
}

function search(
  leaf: Certificate,
  chain: readonly Certificate[],
  trust: PreparedTrust,
  timeMs: number,
  crypto: AttestCrypto,
): ReturnType<typeof findPath> {
  const effort = newEffort();
  if (trust.classified !== null) {
    const found = findPath(leaf, withChain(trust.classified, chain), timeMs, crypto, effort);
    if ('path' in found) return found;
  }
  return findPath(leaf, withChain(trust, chain), timeMs, crypto, effort);
}

/** Certificates out of the evidence count beside those handed over by hand; both are worth what was signed above them. */
function withChain(sources: PathSources, chain: readonly Certificate[]): PathSources {
  if (chain.length === 0) return sources;
  const own = (subject: Uint8Array): readonly Certificate[] => {
    const name = canonicalName(subject);
    return chain.filter((each) => canonicalName(each.subject) === name);
  };
  return { ...sources, intermediates: (name) => [...own(name), ...sources.intermediates(name)] };
}

/** TCG EK Credential Profile 2.6 §3.2. An extension that is absent forbids nothing; the usage of an EK must be stated. */
function purposeFailure(leaf: Certificate, key: CertifiedKey): Failure | null {
  const wrong = (sentence: string): Failure => ({ code: 'EK_CERTIFICATE_PURPOSE', family: 'false', sentence });
  if (leaf.isCa) return wrong('The EK certificate is one of an authority.');
  if (!leaf.extendedKeyUsages.includes(EK_USAGE))
    return wrong(`The EK certificate is not marked as one (${EK_USAGE}).`);
  const usage = key.kind === 'rsa' ? 'keyEncipherment' : 'keyAgreement';
  if (leaf.keyUsage?.[usage] === false) return wrong(`The EK certificate is not for a key that decrypts (${usage}).`);
  if (leaf.unknownCritical.length === 0) return null;
  return wrong(`The EK certificate has the unknown critical extension ${leaf.unknownCritical[0]}.`);
}

const malformed = (reason: string): Failure => ({
  code: 'EK_CERTIFICATE_MALFORMED',
  family: 'malformed',
  sentence: `The EK certificate or its chain cannot be read: ${reason}.`,
});

function keyMismatch(leaf: Certificate, key: CertifiedKey): Failure {
  return {
    code: 'EK_KEY_MISMATCH',
    family: 'false',
    sentence: `The EK certificate is for another key (${keyText(leaf.publicKey)}) than the EK that was handed over (${keyText(key)}).`,
    remedy: 'The seller client must use the EK that its TPM has a certificate for.',
  };
}

function unknown(
  unknownCode: RefusalCode,
  evidence: string,
  leaf: Certificate | null,
  quirks: readonly string[],
): JudgedTpm {
  return { unknownCode, identity: identityOf('unknown', evidence, leaf, quirks) };
}

function identityOf(
  tpmClass: TpmClass,
  evidence: string,
  leaf: Certificate | null,
  quirks: readonly string[],
): TpmIdentity {
  return {
    class: tpmClass,
    manufacturer: leaf === null ? null : manufacturerOf(leaf),
    model: leaf === null ? null : modelOf(leaf),
    evidence,
    weaknesses: weaknessesOf(tpmClass, quirks as readonly CertificateQuirk[]),
    anchor: null,
    quirks,
  };
}
