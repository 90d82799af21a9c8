import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import type { MachineClaims } from '../evidence.ts';
import { claimsSignatureInput, encodeClaims, parseClaims, verifyClaimsSignature } from './claims.ts';

const claims: MachineClaims = {
  clientVersion: '0.1.0',
  challenge: 'ab'.repeat(32),
  accelerator: { name: 'tcg', reason: 'no /dev/kvm' },
  cpuModel: 'QEMU',
  memoryBytes: 536_870_912,
  secureBoot: true,
  bootMode: 'uefi',
  uptimeMs: 21_000,
};

function signed(curve = 'P-256') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const bytes = encodeClaims(claims);
  return {
    claims: bytes,
    claimsSignature: new Uint8Array(
      sign('sha256', claimsSignatureInput(bytes), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    ),
    sessionPublicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
  };
}

describe('claims', () => {
  it('round-trips', () => expect(parseClaims(encodeClaims(claims))).toEqual(claims));

  it('may say where the configuration came from', () => {
    const more = { ...claims, configurationSource: 'smbios' } as const;
    expect(parseClaims(encodeClaims(more))).toEqual(more);
  });

  it.each([
    { name: 'an unknown key', change: { extra: 1 } },
    { name: 'a short challenge', change: { challenge: 'ab' } },
    { name: 'an accelerator we do not know', change: { accelerator: { name: 'warp', reason: '' } } },
    { name: 'a negative memory size', change: { memoryBytes: -1 } },
    { name: 'a fraction of a byte', change: { memoryBytes: 0.5 } },
    { name: 'a source we do not know', change: { configurationSource: 'sdb1' } },
    { name: 'no boot mode', change: { bootMode: undefined } },
  ])('refuses $name', ({ change }) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...claims, ...change }));
    expect(() => parseClaims(bytes)).toThrow(expect.objectContaining({ code: 'CLAIMS_MALFORMED' }));
  });

  it('verifies what the session key signed, and nothing else', () => {
    const good = signed();
    expect(verifyClaimsSignature(good, nodeAttestCrypto)).toBe(true);
    for (const field of ['claims', 'claimsSignature', 'sessionPublicKey'] as const) {
      for (let index = 0; index < good[field].length; index += 1) {
        const flipped = Uint8Array.from(good[field]);
        flipped[index] = (flipped[index] ?? 0) ^ 1;
        expect(verifyClaimsSignature({ ...good, [field]: flipped }, nodeAttestCrypto), `${field}[${index}]`).toBe(
          false,
        );
      }
    }
  });

  it('takes no other curve for a session key', () => {
    expect(verifyClaimsSignature(signed('P-384'), nodeAttestCrypto)).toBe(false);
  });
});
