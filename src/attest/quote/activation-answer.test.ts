/** The answer is the standard HMAC, under a secret that only a verifier's own credential can hold, over one quote. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes, toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { activationAnswer, answerableSecret, hmacSha256, isAnswerable } from './activation-answer.ts';

const bytes = (maxLength: number) => fc.uint8Array({ minLength: 0, maxLength });

describe('an activation answer', () => {
  it('is HMAC-SHA256 as node:crypto computes it', () => {
    fc.assert(
      fc.property(bytes(64), bytes(300), (key, data) => {
        const expected = new Uint8Array(createHmac('sha256', key).update(data).digest());
        expect(toHex(hmacSha256(key, data, crypto))).toBe(toHex(expected));
      }),
    );
    expect(() => hmacSha256(new Uint8Array(65), new Uint8Array(), crypto)).toThrow(RangeError);
  });

  it('fits one secret, challenge, quote and signature, wherever the borders between them lie', () => {
    const secret = fc.uint8Array({ minLength: 24, maxLength: 24 }).map(answerableSecret);
    const answered = fc.record({ secret, challenge: bytes(4), quote: bytes(4), signature: bytes(4) });
    fc.assert(
      fc.property(answered, answered, (a, b) => {
        const same = (['secret', 'challenge', 'quote', 'signature'] as const).every((name) =>
          equalBytes(a[name], b[name]),
        );
        const equal = equalBytes(activationAnswer(a.secret, a, crypto), activationAnswer(b.secret, b, crypto));
        expect(equal).toBe(same);
      }),
    );
  });

  it('is given only under a secret of a verifier, never under one of an enrolment', () => {
    const good = answerableSecret(new Uint8Array(24).fill(7));
    expect(isAnswerable(good)).toBe(true);
    expect(isAnswerable(good.subarray(0, 31))).toBe(false);
    expect(isAnswerable(Uint8Array.of(...good, 0))).toBe(false);
    expect(isAnswerable(new Uint8Array(32))).toBe(false);
    for (let index = 0; index < 8; index += 1) {
      const wrong = Uint8Array.from(good);
      wrong[index] = (wrong[index] ?? 0) ^ 1;
      expect(isAnswerable(wrong)).toBe(false);
    }
    expect(() => answerableSecret(new Uint8Array(32))).toThrow(RangeError);
  });
});
