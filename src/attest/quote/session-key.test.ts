import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { sessionKeyOf, verifyP256 } from './session-key.ts';

const data = new TextEncoder().encode('a request');

function signed(namedCurve = 'P-256') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return {
    data,
    signature: new Uint8Array(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
  };
}
const verified = (given: ReturnType<typeof signed>): boolean =>
  verifyP256(given.spki, given.data, given.signature, nodeAttestCrypto);

describe('the session key', () => {
  it('verifies what it signed, and nothing else', () => {
    const good = signed();
    expect(verified(good)).toBe(true);
    for (const field of ['data', 'signature', 'spki'] as const) {
      for (let index = 0; index < good[field].length; index += 1) {
        const flipped = Uint8Array.from(good[field]);
        flipped[index] = (flipped[index] ?? 0) ^ 1;
        expect(verified({ ...good, [field]: flipped }), `${field}[${index}]`).toBe(false);
      }
    }
  });

  it('has one curve and one spelling', () => {
    const { spki } = signed();
    expect(sessionKeyOf(spki)).toMatchObject({ kind: 'ec', curve: 'P-256' });
    for (const other of [signed('P-384').spki, spki.subarray(1), Uint8Array.from([...spki, 0]), new Uint8Array()]) {
      expect(sessionKeyOf(other)).toBeNull();
    }
    expect(verified(signed('P-384'))).toBe(false);
  });
});
