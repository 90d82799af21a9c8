/**
 * Who made this TPM? The EK certificate, its chain to an authority that the verifier named, and the class that follows.
 * The class is never inferred upwards: what is not shown to be hardware by a named vendor authority is not hardware.
 */
import { equalBytes } from '../shared/bytes.ts';
import {
  type Certificate,
  CertificateError,
  isSignedBy,
  parseCertificate,
  publicKeyBits,
  sameBytes,
} from './certificate.ts';
import type { AttestCrypto } from './crypto.ts';
import type { TpmClass } from './evidence.ts';
import type { Failure } from './ledger.ts';
import type { RefusalCode } from './refusal-codes.ts';
import type { Verdict } from './verdict.ts';

/** TCG EK Credential Profile 2.6 §3.2: tcg-kp-EKCertificate, and the names in the subject alternative name. */
const EK_USAGE = '2.23.133.8.1';
const TPM_MANUFACTURER = '2.23.133.2.1';
const TPM_MODEL = '2.23.133.2.2';
const MAX_CHAIN = 6;
/** swtpm writes IBM's PCI vendor number in place of a TPM vendor id. */
const SWTPM_MANUFACTURER = 'id:00001014';

/** TCG Vendor ID Registry; the authority's name must fit too, since any trusted authority could write any vendor. */
const VENDORS: readonly { id: string; authority: RegExp; class: TpmClass; name: string }[] = [
  { id: 'id:49465800', authority: /\bInfineon\b/i, class: 'hardware', name: 'Infineon' },
  { id: 'id:53544D20', authority: /\bSTM(icroelectronics)?\b/i, class: 'hardware', name: 'STMicroelectronics' },
  { id: 'id:4E544300', authority: /\bNuvoton\b/i, class: 'hardware', name: 'Nuvoton' },
  { id: 'id:41544D4C', authority: /\b(Atmel|Microchip)\b/i, class: 'hardware', name: 'Atmel' },
  { id: 'id:494E5443', authority: /\bIntel\b/i, class: 'firmware', name: 'Intel' },
  { id: 'id:414D4400', authority: /\b(AMD|Advanced Micro Devices)\b/i, class: 'firmware', name: 'AMD' },
  { id: 'id:51434F4D', authority: /\bQualcomm\b/i, class: 'firmware', name: 'Qualcomm' },
  { id: 'id:474F4F47', authority: /\bGoogle\b/i, class: 'cloud', name: 'Google' },
  { id: 'id:4D534654', authority: /\bMicrosoft\b/i, class: 'cloud', name: 'Microsoft' },
];

export type TpmIdentity = Verdict['tpm'];

/** A failure is evidence that contradicts itself; a TPM nobody vouches for is genuine and of class `unknown`. */
export function judgeEkCertificates(
  chainDer: readonly Uint8Array[],
  ekPublicKeyInfo: Uint8Array,
  trust: { readonly anchors: readonly Uint8Array[]; readonly time: Date },
  crypto: AttestCrypto,
): { readonly identity: TpmIdentity; readonly unknownCode: RefusalCode | null } | Failure {
  let chain: Certificate[];
  try {
    chain = chainDer.map(parseCertificate);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { code: 'EK_CERTIFICATE_MALFORMED', family: 'malformed', sentence: `${error.message}.` };
  }
  const leaf = chain[0];
  if (leaf === undefined) return unknown('EK_CERTIFICATE_MISSING', 'The TPM holds no EK certificate.', null);
  if (leaf.publicKeyBits !== publicKeyBits(ekPublicKeyInfo)) {
    return {
      code: 'EK_KEY_MISMATCH',
      family: 'false',
      sentence: 'The EK certificate is for another key than the EK that was handed over.',
      remedy: 'The seller client must use the EK that its TPM has a certificate for.',
    };
  }
  const purpose = purposeFailure(leaf);
  if (purpose !== null) return purpose;
  const anchors = trust.anchors.map(parseCertificate);
  const path = findPath(leaf, chain.slice(1), anchors, crypto);
  if (path === null) {
    return unknown(
      'EK_AUTHORITY_UNKNOWN',
      `No trusted authority signed the EK certificate of ${leaf.subjectText}.`,
      leaf,
    );
  }
  const late = path.find((each) => each.notBefore > trust.time || each.notAfter < trust.time);
  if (late !== undefined) {
    return {
      code: 'EK_CERTIFICATE_EXPIRED',
      family: 'policy',
      sentence: `The certificate of ${late.subjectText} is valid from ${late.notBefore.toISOString()} to ${late.notAfter.toISOString()}, judged at ${trust.time.toISOString()}.`,
    };
  }
  return { identity: identify(leaf, path), unknownCode: null };
}

function purposeFailure(leaf: Certificate): Failure | null {
  const wrong = (sentence: string): Failure => ({ code: 'EK_CERTIFICATE_PURPOSE', family: 'false', sentence });
  if (leaf.isCa) return wrong('The EK certificate is one of an authority.');
  if (!leaf.extendedKeyUsages.includes(EK_USAGE))
    return wrong('The EK certificate is not marked as one (2.23.133.8.1).');
  if (leaf.unknownCritical.length > 0) {
    return wrong(`The EK certificate has the unknown critical extension ${leaf.unknownCritical[0]}.`);
  }
  return null;
}

/** From the leaf up to and including an anchor; every step is checked by name, signature and authority flags. */
function findPath(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  anchors: readonly Certificate[],
  crypto: AttestCrypto,
): readonly Certificate[] | null {
  const extend = (path: readonly Certificate[]): readonly Certificate[] | null => {
    const last = path.at(-1) ?? leaf;
    const mayIssue = (issuer: Certificate): boolean =>
      equalBytes(issuer.subject, last.issuer) &&
      issuer.isCa &&
      issuer.mayCertify !== false &&
      issuer.unknownCritical.length === 0 &&
      // pathLength counts the authorities between this one and the leaf
      (issuer.pathLength === null || issuer.pathLength >= path.length - 1) &&
      isSignedBy(last, issuer, crypto);
    const anchor = anchors.find(mayIssue);
    if (anchor !== undefined) return [...path, anchor];
    if (path.length >= MAX_CHAIN) return null;
    const next = intermediates.find((each) => !path.some((seen) => sameBytes(seen, each)) && mayIssue(each));
    return next === undefined ? null : extend([...path, next]);
  };
  return extend([leaf]);
}

function identify(leaf: Certificate, path: readonly Certificate[]): TpmIdentity {
  const manufacturer = leaf.alternativeAttributes.get(TPM_MANUFACTURER) ?? null;
  const model = leaf.alternativeAttributes.get(TPM_MODEL) ?? null;
  const authority = path.at(-1)?.subjectText ?? '';
  const text = [manufacturer, model, ...path.map((each) => each.subjectText)].join(' ');
  if (manufacturer === SWTPM_MANUFACTURER || /swtpm/i.test(text)) {
    const evidence = `EK certificate by ${authority}: swtpm, a TPM in software on the machine's host`;
    return { class: 'software', manufacturer, model, evidence };
  }
  const vendor = VENDORS.find((each) => each.id.toLowerCase() === manufacturer?.toLowerCase());
  if (vendor !== undefined && path.slice(1).every((each) => vendor.authority.test(each.subjectText))) {
    return {
      class: vendor.class,
      manufacturer,
      model,
      evidence: `EK certificate by ${authority} for a TPM of ${vendor.name}`,
    };
  }
  const evidence = `EK certificate by ${authority}, but what kind of TPM it stands for is not known here`;
  return { class: 'unknown', manufacturer, model, evidence };
}

function unknown(code: RefusalCode, evidence: string, leaf: Certificate | null) {
  const attributes = leaf?.alternativeAttributes;
  return {
    unknownCode: code,
    identity: {
      class: 'unknown' as const,
      manufacturer: attributes?.get(TPM_MANUFACTURER) ?? null,
      model: attributes?.get(TPM_MODEL) ?? null,
      evidence,
    },
  };
}
