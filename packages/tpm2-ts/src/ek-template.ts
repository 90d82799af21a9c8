/**
 * The template of an EK as this TPM has it. A vendor may put its own template and a nonce for the unique field beside the
 * certificate (TCG EK Credential Profile 2.6 §2.2.2.4 and §2.2.2.5); the key that the certificate names is then made
 * from these and not from the default.
 */
import { Reader } from './byte-io.ts';
import type { Tpm } from './command.ts';
import { EK_NV } from './constants.ts';
import { TpmKeyError } from './errors.ts';
import { handlesFrom } from './facts.ts';
import { type TpmtPublic, tpmtPublic } from './public-area.ts';
import { readNv } from './read-nv.ts';
import { EK_TEMPLATES, type EkKind } from './templates.ts';

/** In the high range a template stands right behind its certificate, and there are no nonces. */
const IN_NV: Readonly<Record<EkKind, { readonly template: number; readonly nonce?: number }>> = {
  rsa: { template: EK_NV.rsa2048Template, nonce: EK_NV.rsa2048Nonce },
  ecc: { template: EK_NV.eccP256Template, nonce: EK_NV.eccP256Nonce },
  rsaHigh: { template: EK_NV.rsa2048High + 1 },
  eccHigh: { template: EK_NV.eccP256High + 1 },
  ecc384High: { template: EK_NV.eccP384High + 1 },
  ecc521High: { template: EK_NV.eccP521High + 1 },
  rsa3072High: { template: EK_NV.rsa3072High + 1 },
  rsa4096High: { template: EK_NV.rsa4096High + 1 },
};

/** @throws TpmCodecError when NV holds a template that is none, TpmKeyError when no EK can be made of what it holds */
export async function readEkTemplate(tpm: Tpm, kind: EkKind): Promise<TpmtPublic> {
  const indexes = IN_NV[kind];
  const present = await handlesFrom(tpm, EK_NV.rsa2048);
  const content = async (index: number | undefined) =>
    index !== undefined && present.includes(index) ? readNv(tpm, index) : 'is absent';
  const stored = await content(indexes.template);
  const template = typeof stored === 'string' ? EK_TEMPLATES[kind] : parseEkTemplate(stored, kind);
  const nonce = await content(indexes.nonce);
  return typeof nonce === 'string' ? template : withNonce(template, nonce);
}

/** A TPMT_PUBLIC with padding after it, of a restricted decryption key that never leaves its TPM. */
export function parseEkTemplate(stored: Uint8Array, kind: EkKind): TpmtPublic {
  const source = new Reader(stored);
  source.path.push(`template of EK ${kind} in NV`);
  const template = tpmtPublic.read(source);
  const padding = source.take(source.left);
  if (padding.some((byte) => byte !== padding[0]) || ![undefined, 0x00, 0xff].includes(padding[0])) {
    throw source.error('TRAILING_BYTES', `${padding.length} bytes follow the template that are no padding`);
  }
  const { fixedTpm, fixedParent, restricted, decrypt, signEncrypt } = template.attributes;
  if (template.type !== EK_TEMPLATES[kind].type) {
    throw new TpmKeyError(`NV holds a template of type ${template.type} for an EK of type ${EK_TEMPLATES[kind].type}`);
  }
  if (!(fixedTpm && fixedParent && restricted && decrypt) || signEncrypt) {
    throw new TpmKeyError(`NV holds a template for the EK ${kind} that is not that of a storage key bound to its TPM`);
  }
  return template;
}

/** The nonce begins the unique field, which has the size of the key; the rest is zero. */
export function withNonce(template: TpmtPublic, nonce: Uint8Array): TpmtPublic {
  if (template.type === 'rsa') return { ...template, unique: filled(nonce, template.keyBits / 8) };
  if (template.type === 'ecc') return { ...template, unique: { x: filled(nonce, 32), y: new Uint8Array(32) } };
  throw new TpmKeyError(`an EK of type ${template.type} takes no nonce`);
}

function filled(start: Uint8Array, size: number): Uint8Array {
  if (start.length > size) throw new TpmKeyError(`an EK nonce of ${start.length} bytes; ${size} are the most`);
  const whole = new Uint8Array(size);
  whole.set(start);
  return whole;
}
