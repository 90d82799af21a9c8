/**
 * What IMA writes when the kernel loads a module of the image, computed once from the reference values: an entry that is
 * equal to it byte by byte needs no reading and no hash when machines are judged.
 */
import { concatBytes, equalBytes, fromHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { ReferenceValues } from './reference-values.ts';

export interface ExpectedModule {
  readonly templateData: Uint8Array;
  readonly sha1: Uint8Array;
  /** The template data's digest: what register 10 is extended by. */
  readonly sha256: Uint8Array;
  readonly file: { readonly algorithm: string; readonly digest: Uint8Array; readonly path: string };
}

/** By the first four bytes of the module's digest. */
export type ExpectedModules = ReadonlyMap<number, readonly ExpectedModule[]>;

const utf8 = new TextEncoder();
const LABEL = utf8.encode('sha256:\0');
/** The size of the digest field, then the label. */
const DIGEST_OFFSET = 4 + LABEL.length;

/** In the template ima-sig, without a signature: what our kernels write; another template is read like any other. */
export function expectedModules(
  { kernelModules }: Pick<ReferenceValues, 'kernelModules'>,
  crypto: Pick<AttestCrypto, 'hash'>,
): ExpectedModules {
  const modules = new Map<number, ExpectedModule[]>();
  for (const { path, sha256 } of kernelModules) {
    const digest = fromHex(sha256);
    const fields = [concatBytes(LABEL, digest), utf8.encode(`${path}\0`), new Uint8Array()];
    const templateData = concatBytes(...fields.map(sized));
    const module = {
      templateData,
      sha1: crypto.hash('sha1', templateData),
      sha256: crypto.hash('sha256', templateData),
      file: { algorithm: 'sha256', digest, path },
    };
    const start = startOfDigest(templateData);
    modules.set(start, [...(modules.get(start) ?? []), module]);
  }
  return modules;
}

/** The module whose entry has exactly this template data. */
export function moduleOf(modules: ExpectedModules, templateData: Uint8Array): ExpectedModule | null {
  const candidates = modules.get(startOfDigest(templateData));
  return candidates?.find((module) => equalBytes(module.templateData, templateData)) ?? null;
}

/** Only to find candidates: bytes that are missing count as zero. */
function startOfDigest(data: Uint8Array): number {
  const at = (index: number): number => data[DIGEST_OFFSET + index] ?? 0;
  return (at(0) << 24) | (at(1) << 16) | (at(2) << 8) | at(3);
}

function sized(field: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(new Uint32Array([field.length]).buffer), field);
}
