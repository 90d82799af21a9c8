import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SignatureCheck, VerificationKey } from './crypto.ts';
import { nodeAttestCrypto as crypto } from './crypto-node.ts';

const data = new TextEncoder().encode('what a TPM signed');

function signed(keys: { privateKey: KeyObject; publicKey: KeyObject }): SignatureCheck {
  const ecdsa = keys.publicKey.asymmetricKeyType === 'ec';
  const signature = sign('sha256', data, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  const der = new Uint8Array(keys.publicKey.export({ format: 'der', type: 'spki' }));
  return { key: { kind: 'spki', der }, scheme: ecdsa ? 'ecdsa' : 'rsassa', hash: 'sha256', data, signature };
}

const machines = [
  signed(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  signed(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  signed(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
  signed(generateKeyPairSync('rsa', { modulusLength: 2048 })),
];

describe('keys that are used again', () => {
  it('verify as the first time, and nothing else', () => {
    for (let round = 0; round < 3; round += 1) {
      for (const [index, check] of machines.entries()) {
        expect(crypto.verify(check)).toBe(true);
        const other = machines[(index + 1) % machines.length]?.key as VerificationKey;
        expect(crypto.verify({ ...check, key: other })).toBe(false);
        expect(crypto.verify({ ...check, data: data.subarray(1) })).toBe(false);
      }
    }
  });

  it('takes what is no key for no valid signature, every time', () => {
    const [check] = machines;
    if (check?.key.kind !== 'spki') throw new Error('made above');
    const key = { kind: 'spki', der: check.key.der.map((byte, at) => (at === 40 ? byte ^ 1 : byte)) } as const;
    expect([crypto.verify({ ...check, key }), crypto.verify({ ...check, key })]).toEqual([false, false]);
  });

  it('does not take a key in another form for another key', () => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = keys.publicKey.export({ format: 'jwk' });
    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
    const key = { kind: 'ec', curve: 'P-256', x: bytes(x), y: bytes(y) } as const;
    expect(crypto.verify({ ...signed(keys), key })).toBe(true);
    expect(crypto.verify({ ...signed(keys), key: { ...key, x: key.x.subarray(1) } })).toBe(false);
  });
});
