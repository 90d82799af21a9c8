/** What a vendor's template and nonce in NV may be. A real TPM makes keys of them in ek-template.integration.test.ts. */
import { describe, expect, it } from 'vitest';
import { encode } from './codec.ts';
import { parseEkTemplate, withNonce } from './ek-template.ts';
import { tpmtPublic } from './public-area.ts';
import { akTemplate, EK_TEMPLATES } from './templates.ts';

const TEMPLATE = encode(tpmtPublic, EK_TEMPLATES.ecc);
const padded = (...padding: readonly number[]) => Uint8Array.from([...TEMPLATE, ...padding]);

describe('a template in NV', () => {
  it.each([
    { name: 'alone', stored: TEMPLATE },
    { name: 'with zeros after it', stored: padded(0, 0, 0) },
    { name: 'with erased flash after it', stored: padded(0xff, 0xff) },
  ])('is read $name', ({ stored }) => {
    expect(parseEkTemplate(stored, 'ecc')).toEqual(EK_TEMPLATES.ecc);
  });

  it.each([
    { name: 'cut', stored: TEMPLATE.subarray(0, -1), error: { name: 'TpmCodecError', code: 'TRUNCATED' } },
    { name: 'followed by other bytes', stored: padded(1), error: { name: 'TpmCodecError', code: 'TRAILING_BYTES' } },
    { name: 'padded in two ways', stored: padded(0, 0xff), error: { name: 'TpmCodecError', code: 'TRAILING_BYTES' } },
    { name: 'for RSA', stored: encode(tpmtPublic, EK_TEMPLATES.rsa), error: { name: 'TpmKeyError' } },
    { name: 'for a signing key', stored: encode(tpmtPublic, akTemplate('ecc', 'x')), error: { name: 'TpmKeyError' } },
    {
      name: 'for a key that may leave its TPM',
      stored: encode(tpmtPublic, {
        ...EK_TEMPLATES.ecc,
        attributes: { ...EK_TEMPLATES.ecc.attributes, fixedTpm: false },
      }),
      error: { name: 'TpmKeyError' },
    },
  ])('is refused when $name', ({ stored, error }) => {
    expect(() => parseEkTemplate(stored, 'ecc')).toThrow(expect.objectContaining(error));
  });
});

describe('a nonce in NV', () => {
  it.each(['rsa', 'ecc'] as const)('begins the unique field of %s, zeros follow', (kind) => {
    const size = kind === 'rsa' ? 256 : 32;
    const made = withNonce(EK_TEMPLATES[kind], Uint8Array.of(1, 2, 3));
    if (made.type !== 'rsa' && made.type !== 'ecc') throw new Error(made.type);
    const unique = made.type === 'rsa' ? made.unique : made.unique.x;
    expect(unique).toEqual(Uint8Array.from([1, 2, 3, ...new Uint8Array(size - 3)]));
    expect(() => withNonce(EK_TEMPLATES[kind], new Uint8Array(size + 1))).toThrow(`nonce of ${size + 1} bytes`);
  });
});
