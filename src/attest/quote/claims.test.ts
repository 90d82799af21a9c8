import { describe, expect, it } from 'vitest';
import type { MachineClaims } from '../evidence.ts';
import { encodeClaims, parseClaims } from './claims.ts';

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
});
