/**
 * The EK as a TPM object: a storage key that cannot leave its TPM and does nothing but decrypt what was made for it.
 * Activation rests on that, so another kind of key is refused; a key of an unfamiliar template is named.
 */
import type { TpmtPublic } from 'tpm2-ts/public-area';
import { EK_TEMPLATES, type EkKind } from 'tpm2-ts/templates';
import { equalBytes } from '../../shared/bytes.ts';

export type EkAsObject =
  | {
      readonly safe: true /** By its name in the EK Credential Profile 2.6, annex B; null: none of them. */;
      readonly template: string | null;
    }
  | { readonly safe: false; readonly sentence: string };

const TEMPLATE_NAMES: { readonly [kind in EkKind]?: string } = {
  rsa: 'L-1',
  ecc: 'L-2',
  rsaHigh: 'H-1',
  eccHigh: 'H-2',
  ecc384High: 'H-3',
  ecc521High: 'H-4',
  rsa3072High: 'H-6',
  rsa4096High: 'H-7',
};

/** Attributes are the Attester's word, but the EK's Name is a digest over them, and the AK was activated for that Name. */
export function judgeEkObject(ek: TpmtPublic): EkAsObject {
  const { attributes } = ek;
  for (const wanted of ['restricted', 'decrypt', 'fixedTpm', 'fixedParent', 'sensitiveDataOrigin'] as const) {
    if (!attributes[wanted]) return { safe: false, sentence: `lacks the attribute ${wanted}` };
  }
  if (attributes.signEncrypt) return { safe: false, sentence: 'also signs' };
  for (const [kind, template] of Object.entries(EK_TEMPLATES)) {
    if (fits(ek, template)) return { safe: true, template: TEMPLATE_NAMES[kind as EkKind] ?? kind };
  }
  return { safe: true, template: null };
}

function fits(ek: TpmtPublic, template: TpmtPublic): boolean {
  if (ek.nameAlg !== template.nameAlg || !equalBytes(ek.authPolicy, template.authPolicy)) return false;
  if (ek.attributes.userWithAuth !== template.attributes.userWithAuth) return false;
  if (ek.attributes.adminWithPolicy !== template.attributes.adminWithPolicy) return false;
  if (ek.type === 'rsa' && template.type === 'rsa') return ek.keyBits === template.keyBits;
  return ek.type === 'ecc' && template.type === 'ecc' && ek.curve === template.curve;
}
