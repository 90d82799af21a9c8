/** The TPM's key derivation functions, Part 1 §11.4.10. */
import { encode, u32 } from './codec.ts';
import type { HashName } from './constants.ts';
import type { TpmCrypto } from './crypto-port.ts';

const EMPTY = new Uint8Array();

/** KDFa, §11.4.10.2: SP 800-108 in counter mode with HMAC. `bits` is a multiple of 8. */
export function kdfA(
  crypto: Pick<TpmCrypto, 'hmac'>,
  hash: HashName,
  key: Uint8Array,
  label: string,
  context: { readonly u?: Uint8Array; readonly v?: Uint8Array },
  bits: number,
): Uint8Array {
  const fixed = concat(withZero(label), context.u ?? EMPTY, context.v ?? EMPTY, encode(u32, bits));
  return counted(bits, (counter) => crypto.hmac(hash, key, concat(counter, fixed)));
}

/** KDFe, §11.4.10.3: SP 800-56A, from the x coordinate `z` that both parties share and both parties' own. */
export function kdfE(
  crypto: Pick<TpmCrypto, 'digest'>,
  hash: HashName,
  z: Uint8Array,
  label: string,
  parties: { readonly u: Uint8Array; readonly v: Uint8Array },
  bits: number,
): Uint8Array {
  const fixed = concat(z, withZero(label), parties.u, parties.v);
  return counted(bits, (counter) => crypto.digest(hash, concat(counter, fixed)));
}

/** Labels are hashed with their terminating zero. */
export function withZero(label: string): Uint8Array {
  return new TextEncoder().encode(`${label}\0`);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function counted(bits: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let length = 0; 8 * length < bits; length += blocks.at(-1)?.length ?? 0) {
    blocks.push(block(encode(u32, blocks.length + 1)));
  }
  return concat(...blocks).slice(0, bits / 8);
}
