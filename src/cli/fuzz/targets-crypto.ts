/** Both cryptographies, Node's and the browser's, on keys and signatures of an attacker's choice: one answer, in bounded time. */
import { sign } from 'node:crypto';
import type { AttestCrypto, SignatureCheck } from '../../attest/crypto/crypto.ts';
import { nobleAttestCrypto } from '../../attest/crypto/crypto-noble.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { newKey, spkiOf } from '../../attest/testing/certificate-writer-node.ts';
import { concatBytes } from '../../shared/bytes.ts';
import { BrokenRule, type Target } from './target.ts';

const SCHEMES = ['ecdsa', 'rsassa', 'rsapss'] as const;
const HASHES = ['sha1', 'sha256', 'sha384', 'sha512'] as const;

export function cryptoTargets(): readonly Target[] {
  const data = new TextEncoder().encode('what a TPM signs');
  const ecdsa = (['P-256', 'P-384', 'P-521'] as const).map((curve) => {
    const key = newKey(curve);
    return packed(0, 1, spkiOf(key), new Uint8Array(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })), data);
  });
  const rsa = newKey('rsa');
  const pkcs1 = packed(1, 1, spkiOf(rsa), new Uint8Array(sign('sha256', data, rsa)), data);
  return [
    {
      name: 'signature',
      shape: 'bytes',
      seeds: [...ecdsa, pkcs1],
      maxBytes: 9000,
      baseMs: 120,
      run: (input) => {
        const check = unpacked(input);
        const [node, noble] = [nodeAttestCrypto, nobleAttestCrypto].map((crypto: AttestCrypto) => crypto.verify(check));
        if (node !== noble)
          throw new BrokenRule(`node:crypto says ${node}, noble says ${noble}, to ${check.scheme} with ${check.hash}`);
      },
    },
  ];
}

/** Scheme and hash by number, then key and signature with their lengths, then the data. */
function packed(scheme: number, hash: number, spki: Uint8Array, signature: Uint8Array, data: Uint8Array): Uint8Array {
  const sized = (bytes: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
  return concatBytes(Uint8Array.of(scheme, hash), sized(spki), sized(signature), data);
}

function unpacked(input: Uint8Array): SignatureCheck {
  const size = (at: number): number => ((input[at] ?? 0) << 8) | (input[at + 1] ?? 0);
  const keyEnd = Math.min(input.length, 4 + size(2));
  const signatureEnd = Math.min(input.length, keyEnd + 2 + size(keyEnd));
  return {
    key: { kind: 'spki', der: input.slice(4, keyEnd) },
    scheme: SCHEMES[(input[0] ?? 0) % SCHEMES.length] ?? 'ecdsa',
    hash: HASHES[(input[1] ?? 0) % HASHES.length] ?? 'sha256',
    signature: input.slice(keyEnd + 2, signatureEnd),
    data: input.slice(signatureEnd),
  };
}
