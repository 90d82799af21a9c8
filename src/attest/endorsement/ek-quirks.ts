/** Each irregularity of an EK or its certificate that was let through, in a sentence. */
import type { CertificateQuirk } from './certificate.ts';

export type EkQuirk = CertificateQuirk | 'ek-template';

export const EK_QUIRKS: { readonly [quirk in EkQuirk]: string } = {
  'nv-header': 'The certificate lies behind the head of a TPM 1.2 stored certificate.',
  'nv-padding': 'The rest of the NV index follows the certificate.',
  'set-order': 'A name in the certificate has its parts in another order than DER asks for.',
  'rsaes-oaep-key': 'The certificate names its key RSAES-OAEP instead of plain RSA.',
  'sha1-signature': 'The certificate is signed over SHA-1.',
  'serial-number': 'The serial number is not a positive number of at most 20 bytes.',
  'time-form': 'A date is not written in the form that RFC 5280 allows for it.',
  'explicit-default': 'A value is written that DER leaves out because it is the default.',
  'boolean-form': 'A BOOLEAN is true and not written as FF.',
  'unstructured-alternative-name': 'The alternative name cannot be read, so the certificate names no manufacturer.',
  'ek-template': 'The EK fits no template of the EK Credential Profile.',
};

/** The sentence for a word in `Verdict.tpm.quirks`. */
export const quirkSentence = (quirk: string): string => (EK_QUIRKS as Readonly<Record<string, string>>)[quirk] ?? quirk;
