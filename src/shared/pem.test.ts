import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from './bytes.ts';
import { PemError, readPem, readPemOrDer } from './pem.ts';

const block = (bytes: Uint8Array, label = 'CERTIFICATE'): string => {
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
};
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('PEM', () => {
  it('gives the blocks of one label in order, whatever is around them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), (contents) => {
        const text = contents.map((bytes) => `subject=/CN=x\n${block(bytes)}`).join('# a remark\r\n');
        expect(readPem(text, 'CERTIFICATE')).toEqual(contents);
        expect(readPem(text, 'X509 CRL')).toEqual([]);
      }),
    );
  });

  it('a file may be DER instead', () => {
    const der = Uint8Array.of(0x30, 0x81, 0x80, ...new Uint8Array(128));
    expect(readPemOrDer(der, 'CERTIFICATE')).toEqual([der]);
    expect(readPemOrDer(utf8(block(der)), 'CERTIFICATE')).toEqual([der]);
  });

  it.each([
    ['no end', '-----BEGIN CERTIFICATE-----\nMAMC', 'block 1 has no'],
    ['no base64', '-----BEGIN CERTIFICATE-----\nM?MC\n-----END CERTIFICATE-----', 'block 1 is not base64'],
    ['another label', block(Uint8Array.of(1), 'X509 CRL'), 'no "BEGIN CERTIFICATE"'],
    ['nothing', '', 'no "BEGIN CERTIFICATE"'],
  ])('%s is refused', (_, text, words) => {
    expect(() => readPemOrDer(utf8(text), 'CERTIFICATE')).toThrow(PemError);
    expect(() => readPemOrDer(utf8(text), 'CERTIFICATE')).toThrow(words);
  });

  it('reads 5 MB of dashes in linear time', () => {
    expect(readPem('-----BEGIN CERTIFICATE--x'.repeat(200_000), 'CERTIFICATE')).toEqual([]);
  });
});
