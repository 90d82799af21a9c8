/**
 * The path from an EK certificate to an authority that the verifier named (RFC 5280 §6, without policies): every step by
 * name, signature, rights, path length and validity. Certificates on the way come from the evidence or from a heap that
 * somebody collected; they are worth what the authority above them signed. Work is bounded whatever was handed over.
 */

import type { AttestCrypto } from '../crypto/crypto.ts';
import { bitLength } from '../der/der-key.ts';
import { nameText } from '../der/der-name.ts';
import { type Certificate, isSignedBy } from './certificate.ts';

/** TCG EK Credential Profile 2.6 §3.2: tcg-kp-EKCertificate. */
export const EK_USAGE = '2.23.133.8.1';
const ANY_USAGE = '2.5.29.37.0';
const MAX_PATH = 6;
/** Signatures checked for one EK certificate, however many certificates share a name; on P-521 each takes long in a browser. */
const MAX_SIGNATURES = 8;
/** Pairs of certificates looked at: authorities can sign each other in circles. */
const MAX_STEPS = 200;
const MIN_RSA_BITS = 2048;

/** unknown: nobody trusted signed it. invalid: somebody did who must not. expired: at the time of judgement. */
export interface PathProblem {
  readonly kind: 'unknown' | 'invalid' | 'expired';
  readonly sentence: string;
}

export interface PathSources {
  /** Of this subject, as DER. */
  readonly anchors: (subject: Uint8Array) => readonly Certificate[];
  readonly intermediates: (subject: Uint8Array) => readonly Certificate[];
  /** Remembered between calls: did this authority sign that of another? What signed a leaf is checked each time. */
  readonly known: WeakMap<Certificate, WeakMap<Certificate, boolean>>;
}

/** What was spent on one leaf so far, and whether these signed it: shared by searches among different anchors. */
export interface Effort {
  signatures: number;
  steps: number;
  readonly leaf: WeakMap<Certificate, boolean>;
}
export const newEffort = (): Effort => ({ signatures: 0, steps: 0, leaf: new WeakMap() });

/** From the leaf up to and including an anchor, or the best reason why there is none. */
export function findPath(
  leaf: Certificate,
  sources: PathSources,
  timeMs: number,
  crypto: AttestCrypto,
  effort: Effort = newEffort(),
): { readonly path: readonly [Certificate, ...Certificate[]] } | PathProblem {
  const expiredLeaf = expiry(leaf, timeMs);
  const problems: PathProblem[] = [];

  const signed = (child: Certificate, issuer: Certificate): boolean => {
    const results = child === leaf ? effort.leaf : resultsOf(sources, child);
    const remembered = results.get(issuer);
    if (remembered !== undefined) return remembered;
    if (effort.signatures >= MAX_SIGNATURES) return false;
    effort.signatures += 1;
    // SHA-1 is let through here and judged in `violation`, which knows who may still have it
    const result = isSignedBy(child.signed, issuer, crypto, { sha1: 'allowed' });
    results.set(issuer, result);
    return result;
  };
  const accepts = (path: readonly Certificate[], child: Certificate, issuer: Certificate, anchor: boolean): boolean => {
    effort.steps += 1;
    if (effort.steps > MAX_STEPS || path.includes(issuer) || !signed(child, issuer)) return false;
    const broken = violation(path.length - 1, child, issuer, { anchor, leaf });
    if (broken !== null) problems.push({ kind: 'invalid', sentence: broken });
    const late = broken === null ? expiry(issuer, timeMs) : null;
    if (late !== null) problems.push({ kind: 'expired', sentence: late });
    return broken === null && late === null;
  };
  const extend = (path: readonly [Certificate, ...Certificate[]]): readonly [Certificate, ...Certificate[]] | null => {
    const last = path.at(-1) ?? leaf;
    const anchor = sources.anchors(last.issuer).find((each) => accepts(path, last, each, true));
    if (anchor !== undefined) return [...path, anchor];
    if (path.length >= MAX_PATH) return null;
    for (const each of sources.intermediates(last.issuer)) {
      const found = accepts(path, last, each, false) ? extend([...path, each]) : null;
      if (found !== null) return found;
    }
    return null;
  };

  const path = extend([leaf]);
  if (path !== null) return expiredLeaf === null ? { path } : { kind: 'expired', sentence: expiredLeaf };
  return problems[0] ?? { kind: 'unknown', sentence: `its issuer is ${nameText(leaf.issuer)}` };
}

/** Why this authority may not have signed that certificate, although it did. `between` counts the authorities between it and the leaf. */
function violation(
  between: number,
  child: Certificate,
  issuer: Certificate,
  { anchor, leaf }: { readonly anchor: boolean; readonly leaf: Certificate },
): string | null {
  const name = nameText(issuer.subject);
  if (child !== leaf && child.quirks.includes('sha1-signature')) {
    return `the authority ${nameText(child.subject)} rests on a SHA-1 signature; name that authority itself to trust it`;
  }
  if (!issuer.isCa) return `${name} signed it and is no authority (CA:FALSE)`;
  if (issuer.keyUsage?.keyCertSign === false) return `${name} signed it and may not sign certificates (keyCertSign)`;
  if (issuer.pathLength !== null && issuer.pathLength < between) {
    return `${name} allows ${issuer.pathLength} authorities below it, there are ${between}`;
  }
  const [critical] = issuer.unknownCritical;
  if (critical !== undefined) return `${name} has the critical extension ${critical}, which is not judged here`;
  if (issuer.publicKey.kind === 'rsa' && bitLength(issuer.publicKey.modulus) < MIN_RSA_BITS) {
    return `${name} signs with an RSA key of ${bitLength(issuer.publicKey.modulus)} bits`;
  }
  if (anchor) return null; // named byte by byte: how it is written and what else it may do is the verifier's business
  const [quirk] = issuer.quirks.filter((each) => each !== 'sha1-signature');
  if (quirk !== undefined) return `the certificate of ${name} is not written as it must be (${quirk})`;
  const usages = issuer.extendedKeyUsages;
  if (usages.length > 0 && !usages.includes(EK_USAGE) && !usages.includes(ANY_USAGE)) {
    return `${name} may sign certificates for other uses only (${usages[0]})`;
  }
  return null;
}

function expiry(certificate: Certificate, timeMs: number): string | null {
  const { notBeforeMs, notAfterMs } = certificate;
  if (notBeforeMs <= timeMs && timeMs <= notAfterMs) return null;
  const [from, to, at] = [notBeforeMs, notAfterMs, timeMs].map((ms) => new Date(ms).toISOString());
  return `the certificate of ${nameText(certificate.subject)} is valid from ${from} to ${to}, judged at ${at}`;
}

function resultsOf({ known }: PathSources, child: Certificate): WeakMap<Certificate, boolean> {
  const results = known.get(child) ?? new WeakMap<Certificate, boolean>();
  known.set(child, results);
  return results;
}
