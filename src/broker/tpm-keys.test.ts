import { describe, expect, it } from 'vitest';
import { newAk, newEk, publicArea } from './testing/tpm-keys.ts';
import { nameHexOf, readAk, readEk } from './tpm-keys.ts';

const ek = newEk();
const ak = newAk();
const attributes = ak.attributes;

describe('an EK', () => {
  it('is read with its name', () => {
    expect(readEk(publicArea(ek)).nameHex).toMatch(/^000b[0-9a-f]{64}$/);
    expect(nameHexOf(publicArea(ek))).toBe(readEk(publicArea(ek)).nameHex);
  });

  it.each([
    { name: 'signs', key: { ...ek, attributes: { ...ek.attributes, signEncrypt: true } } },
    { name: 'is not restricted', key: { ...ek, attributes: { ...ek.attributes, restricted: false } } },
    { name: 'could be exported', key: { ...ek, attributes: { ...ek.attributes, fixedTpm: false } } },
    { name: 'is an AK', key: ak },
    { name: 'has a weak name', key: { ...ek, nameAlg: 'sha1' as const } },
    { name: 'is on a weak curve', key: { ...ek, curve: 'p192' as const } },
    { name: 'has no AES', key: { ...ek, symmetric: { algorithm: 'null' as const } } },
  ])('that $name is refused', ({ key }) => {
    expect(() => readEk(publicArea(key))).toThrow(expect.objectContaining({ code: 'EK_UNSUITABLE' }));
  });
});

describe('an AK', () => {
  it.each([
    // An unrestricted key would sign a forged TPMS_ATTEST.
    { name: 'is not restricted', key: { ...ak, attributes: { ...attributes, restricted: false } } },
    { name: 'decrypts', key: { ...ak, attributes: { ...attributes, decrypt: true } } },
    { name: 'does not sign', key: { ...ak, attributes: { ...attributes, signEncrypt: false } } },
    { name: 'could leave its TPM', key: { ...ak, attributes: { ...attributes, fixedTpm: false } } },
    { name: 'could leave its parent', key: { ...ak, attributes: { ...attributes, fixedParent: false } } },
    { name: 'came from outside', key: { ...ak, attributes: { ...attributes, sensitiveDataOrigin: false } } },
    { name: 'signs with SHA-1', key: { ...ak, scheme: { algorithm: 'ecdsa' as const, hash: 'sha1' as const } } },
    { name: 'has no scheme', key: { ...ak, scheme: { algorithm: 'null' as const } } },
  ])('that $name is refused', ({ key }) => {
    expect(() => readAk(publicArea(key))).toThrow(expect.objectContaining({ code: 'AK_UNSUITABLE' }));
  });

  it('cut at any length, or longer by one byte, is refused as malformed', () => {
    const bytes = publicArea(ak);
    const malformed = expect.objectContaining({ code: 'PUBLIC_AREA_MALFORMED' });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readAk(bytes.subarray(0, length)), `at ${length}`).toThrow(malformed);
    }
    expect(() => readAk(Uint8Array.of(...bytes, 0))).toThrow(malformed);
    expect(nameHexOf(bytes.subarray(1))).toBeNull();
  });
});
