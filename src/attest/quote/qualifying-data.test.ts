import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { type QuoteBinding, qualifyingData } from './qualifying-data.ts';

const binding: QuoteBinding = {
  challenge: new Uint8Array(32).fill(1),
  sessionPublicKey: new Uint8Array(91).fill(2),
  role: 'seller',
  brokerId: new Uint8Array(32).fill(3),
  claims: new Uint8Array(300).fill(4),
};

describe('qualifyingData', () => {
  it('is the hash of label, version and length-prefixed fields', () => {
    const expected = createHash('sha256')
      .update('cpushare-live/attestation\0')
      .update(Uint8Array.of(2, 0, 32))
      .update(binding.challenge)
      .update(Uint8Array.of(0, 91))
      .update(binding.sessionPublicKey)
      .update(Uint8Array.of(0, 6))
      .update('seller')
      .update(Uint8Array.of(0, 32))
      .update(binding.brokerId)
      .update(Uint8Array.of(1, 44))
      .update(binding.claims)
      .digest('hex');
    expect(Buffer.from(qualifyingData(binding, nodeAttestCrypto)).toString('hex')).toBe(expected);
  });

  it.each([
    { name: 'challenge', change: { challenge: new Uint8Array(32) } },
    { name: 'session key', change: { sessionPublicKey: new Uint8Array(91) } },
    { name: 'broker', change: { brokerId: new Uint8Array(32) } },
    { name: 'claims', change: { claims: new Uint8Array(300) } },
  ])('changes with the $name', ({ change }) => {
    expect(qualifyingData({ ...binding, ...change }, nodeAttestCrypto)).not.toEqual(
      qualifyingData(binding, nodeAttestCrypto),
    );
  });

  it('refuses a challenge or broker id of another length', () => {
    for (const change of [{ challenge: new Uint8Array(31) }, { brokerId: new Uint8Array(33) }]) {
      expect(() => qualifyingData({ ...binding, ...change }, nodeAttestCrypto)).toThrow(
        expect.objectContaining({ code: 'QUALIFYING_DATA_FIELD' }),
      );
    }
  });
});
