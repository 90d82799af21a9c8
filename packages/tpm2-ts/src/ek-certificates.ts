/** EK certificates and their chain as the vendor stored them in NV, TCG EK Credential Profile 2.6 §2.2.2. */
import type { Tpm } from './command.ts';
import { EK_NV } from './constants.ts';
import { handlesFrom, supportsEcc } from './facts.ts';
import { readNv } from './read-nv.ts';
import type { EkKind } from './templates.ts';

export interface StoredCertificate {
  readonly index: number;
  /** The template whose key it certifies; `chain` for a CA's certificate. */
  readonly kind: EkKind | 'chain';
  /** X.509, without the padding that some vendors leave after it. */
  readonly der: Uint8Array;
}

export interface StoredCertificates {
  readonly certificates: readonly StoredCertificate[];
  /** Indexes that are there and hold nothing we can use, with the reason. */
  readonly skipped: readonly { readonly index: number; readonly reason: string }[];
}

const LEAVES: readonly { readonly index: number; readonly kind: EkKind }[] = [
  { index: EK_NV.eccP256, kind: 'ecc' },
  { index: EK_NV.eccP256High, kind: 'eccHigh' },
  { index: EK_NV.eccP384High, kind: 'ecc384High' },
  { index: EK_NV.eccP521High, kind: 'ecc521High' },
  { index: EK_NV.rsa2048, kind: 'rsa' },
  { index: EK_NV.rsa2048High, kind: 'rsaHigh' },
  { index: EK_NV.rsa3072High, kind: 'rsa3072High' },
  { index: EK_NV.rsa4096High, kind: 'rsa4096High' },
];

/** In the order of preference of `chooseEk`, then the chain in NV order. */
export async function readEkCertificates(tpm: Tpm): Promise<StoredCertificates> {
  const present = await handlesFrom(tpm, EK_NV.rsa2048);
  const certificates: StoredCertificate[] = [];
  const skipped: { index: number; reason: string }[] = [];
  for (const { index, kind } of LEAVES.filter((leaf) => present.includes(leaf.index))) {
    const content = await readNv(tpm, index);
    const der = typeof content === 'string' ? undefined : splitDer(content)[0];
    if (der !== undefined) certificates.push({ index, kind, der });
    else skipped.push({ index, reason: typeof content === 'string' ? content : 'does not hold a DER certificate' });
  }
  if (present.includes(EK_NV.sm2High)) {
    skipped.push({
      index: EK_NV.sm2High,
      reason: 'is for template H-5, a key on the curve SM2, which is not supported',
    });
  }
  const chainIndexes = present.filter((index) => index >= EK_NV.chainFirst && index <= EK_NV.chainLast);
  const pieces: Uint8Array[] = [];
  for (const index of chainIndexes) {
    const content = await readNv(tpm, index);
    if (typeof content === 'string') skipped.push({ index, reason: content });
    else pieces.push(content);
  }
  // A chain may run on from one index to the next, cut anywhere.
  const chain = splitDer(Uint8Array.from(pieces.flatMap((piece) => [...piece])));
  const index = chainIndexes[0] ?? EK_NV.chainFirst;
  return { certificates: [...certificates, ...chain.map((der) => ({ index, kind: 'chain', der }) as const)], skipped };
}

/**
 * The EK that can be proven best: one with a certificate, elliptic before RSA since it is made in a fraction of the time.
 * Without any certificate it is P-256, or RSA-2048 where the TPM has no ECC. `certificates`: the leaf, then the chain.
 */
export async function chooseEk(
  tpm: Tpm,
): Promise<{ readonly kind: EkKind; readonly certificates: readonly Uint8Array[] }> {
  const { certificates } = await readEkCertificates(tpm);
  const leaf = certificates.find(({ kind }) => kind !== 'chain');
  if (leaf === undefined || leaf.kind === 'chain') {
    return { kind: (await supportsEcc(tpm)) ? 'ecc' : 'rsa', certificates: [] };
  }
  const chain = certificates.filter(({ kind }) => kind === 'chain');
  return { kind: leaf.kind, certificates: [leaf, ...chain].map(({ der }) => der) };
}

/** Consecutive DER SEQUENCEs from the start; stops at padding or at a cut one. */
export function splitDer(bytes: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let offset = 0; ; ) {
    const length = sequenceLength(bytes.subarray(offset));
    if (length === undefined) return found;
    found.push(bytes.slice(offset, offset + length));
    offset += length;
  }
}

/** Header and content of the SEQUENCE at the start; certificates need a length of two or more bytes (X.690 §8.1.3). */
function sequenceLength(bytes: Uint8Array): number | undefined {
  const [tag, form, high = 0, low = 0] = bytes;
  if (tag !== 0x30 || (form !== 0x81 && form !== 0x82)) return undefined;
  const length = form === 0x81 ? 3 + high : 4 + 256 * high + low;
  return length <= bytes.length ? length : undefined;
}
