import { describe, expect, it } from 'vitest';
import { nobleAttestCrypto } from '../attest/crypto/crypto-noble.ts';
import { verifyNothing, warmUp } from './warm-up.ts';

describe('warming up', () => {
  it('does the arithmetic in pieces and then ends', () => {
    const pieces: (() => void)[] = [];
    let verified = 0;
    const counting = {
      ...nobleAttestCrypto,
      verify: () => {
        verified += 1;
        return false;
      },
    };
    warmUp(counting, (work) => pieces.push(work));
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      expect(pieces).toHaveLength(0);
      piece();
    }
    expect(verified).toBe(6);
  });

  it.each(['P-256', 'P-384'] as const)('takes no signature that nobody made, on %s', (curve) => {
    expect(verifyNothing(curve, nobleAttestCrypto)).toBe(false);
  });
});
