import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type CertificateFields,
  type KeyKind,
  newKey,
  type Signer,
  spkiOf,
  usages,
  writeCertificate,
} from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import {
  type Authority,
  authority,
  codeOf,
  ekKey,
  HARDWARE,
  INFINEON,
  identityOf,
  judge,
  leafUnder,
  middle,
  root,
} from '../testing/ek-chains-node.ts';
import type { TrustInput } from './ek-trust.ts';

describe('a path to a named authority', () => {
  it('directly, through an intermediate of the evidence, and through one handed over by hand', () => {
    for (const judged of [
      judge([leafUnder(root)], { anchorClasses: HARDWARE }),
      judge([leafUnder(middle), middle.certificate], { anchorClasses: HARDWARE }),
      judge([leafUnder(middle)], { anchorClasses: HARDWARE, extraCertificates: [middle.certificate] }),
    ]) {
      expect(identityOf(judged)).toMatchObject({
        class: 'hardware',
        manufacturer: INFINEON,
        anchor: { fingerprint: root.fingerprint, subject: 'CN=Some Root' },
        quirks: [],
      });
    }
  });

  it.each<[KeyKind, 'sha256' | 'sha384' | 'sha512']>([
    ['rsa', 'sha256'],
    ['rsa', 'sha512'],
    ['P-384', 'sha384'],
    ['P-521', 'sha512'],
    ['P-521', 'sha256'],
    ['P-256', 'sha384'],
  ])('%s with %s, as key and as signer', (kind, hash) => {
    const key = newKey(kind);
    const signer = authority('Root of that kind', undefined, {}, key);
    const own = newKey(kind);
    const judged = judge([leafUnder({ ...signer, hash }, {}, own)], { anchors: [signer.certificate] }, own);
    expect(identityOf(judged).anchor?.fingerprint).toBe(signer.fingerprint);
  });

  it('through the one that signed it among several authorities of one name', () => {
    const namesakes = Array.from({ length: 5 }, () => authority('Some Intermediate', root));
    const last = namesakes[4] as Authority;
    const extraCertificates = namesakes.map(({ certificate }) => certificate);
    expect(codeOf(judge([leafUnder(last)], { extraCertificates }))).toBe(null);
  });

  it('that ends where the kind of TPM is said, although authorities on the way were named as anchors too', () => {
    const anchors = [middle.certificate, root.certificate];
    const judged = identityOf(judge([leafUnder(middle)], { anchors, anchorClasses: HARDWARE }));
    expect(judged).toMatchObject({ class: 'hardware', anchor: { fingerprint: root.fingerprint } });
    const unsaid = identityOf(judge([leafUnder(middle)], { anchors: [middle.certificate], anchorClasses: HARDWARE }));
    expect(unsaid).toMatchObject({ class: 'unknown', anchor: { fingerprint: middle.fingerprint } });
  });

  it('around an expired certificate where a cross-signed one holds', () => {
    const expired = authority('Crossed', root, { notAfter: w.utcTime('250101000000Z') });
    const crossed = writeCertificate({
      signer: root,
      subject: expired.name,
      publicKeyInfo: spkiOf(expired.key),
      extensions: [usages.ca],
    });
    expect(codeOf(judge([leafUnder(expired), expired.certificate]))).toBe('EK_CERTIFICATE_EXPIRED');
    expect(codeOf(judge([leafUnder(expired), expired.certificate, crossed]))).toBe(null);
  });

  it('although the issuer is named in another type of string, case and spacing, as RFC 5280 has it', () => {
    const otherwise = w.sequence(w.set(w.sequence(w.oid('2.5.4.3'), w.printable('some  ROOT '))));
    expect(codeOf(judge([leafUnder({ ...root, name: otherwise })]))).toBe(null);
  });

  it('ends where authorities sign each other in circles', () => {
    const keys = Array.from({ length: 10 }, () => newKey());
    const ring = keys.map((key, index) => {
      const by = { key: keys[(index + 1) % keys.length] as KeyObject, name: w.commonName('Ring') };
      return authority('Ring', by, {}, key);
    });
    const leaf = leafUnder({ key: keys[0] as KeyObject, name: w.commonName('Ring') });
    expect(codeOf(judge([leaf, ...ring.map(({ certificate }) => certificate)]))).toBe('EK_AUTHORITY_UNKNOWN');
  });
});

describe('a chain that must not be believed (pitfall 50)', () => {
  const below = (fields: Partial<CertificateFields>, by: Signer = root, kind?: KeyKind): readonly Uint8Array[] => {
    const bad = authority('Bad', by, fields, newKey(kind));
    return [leafUnder(bad), bad.certificate];
  };
  const longRoot = authority('No room', undefined, {
    extensions: [w.extension('2.5.29.19', w.sequence(w.TRUE, w.integer(0)), w.TRUE)],
  });
  const underLong = authority('Under it', longRoot);

  it.each<{ name: string; certificates: readonly Uint8Array[]; trust?: Partial<TrustInput>; code: string }>([
    {
      name: 'a forged signature of the leaf',
      certificates: [leafUnder(root, { forged: true })],
      code: 'EK_AUTHORITY_UNKNOWN',
    },
    {
      name: 'an authority of the right name and another key',
      certificates: [leafUnder(authority('Some Root'))],
      code: 'EK_AUTHORITY_UNKNOWN',
    },
    {
      name: 'a forged signature of the authority',
      certificates: below({ forged: true }),
      code: 'EK_AUTHORITY_UNKNOWN',
    },
    { name: 'an issuer that is no authority', certificates: below({ extensions: [] }), code: 'EK_CHAIN_INVALID' },
    {
      name: 'an issuer with CA:FALSE written out',
      certificates: below({ extensions: [w.extension('2.5.29.19', w.sequence(w.FALSE), w.TRUE)] }),
      code: 'EK_CHAIN_INVALID',
    },
    {
      name: 'an issuer without keyCertSign',
      certificates: below({ extensions: [usages.ca, usages.digitalSignature] }),
      code: 'EK_CHAIN_INVALID',
    },
    {
      name: 'an issuer for other uses',
      certificates: below({ extensions: [usages.ca, w.extension('2.5.29.37', w.sequence(w.oid('2.23.133.8.3')))] }),
      code: 'EK_CHAIN_INVALID',
    },
    {
      name: 'an issuer with an unknown critical extension (name constraints)',
      certificates: below({ extensions: [usages.ca, w.extension('2.5.29.30', w.sequence(), w.TRUE)] }),
      code: 'EK_CHAIN_INVALID',
    },
    {
      name: 'more authorities than the anchor allows',
      certificates: [leafUnder(underLong), underLong.certificate],
      trust: { anchors: [longRoot.certificate] },
      code: 'EK_CHAIN_INVALID',
    },
    { name: 'an authority on SHA-1', certificates: below({}, { ...root, hash: 'sha1' }), code: 'EK_CHAIN_INVALID' },
    { name: 'an authority with a short key', certificates: below({}, root, 'rsa1024'), code: 'EK_CHAIN_INVALID' },
    {
      name: 'a quirk in an authority',
      certificates: below({ serial: w.integer(0xff) }),
      code: 'EK_CHAIN_INVALID',
    },
    {
      name: 'an authority that is not valid yet',
      certificates: below({ notBefore: w.utcTime('270101000000Z') }),
      code: 'EK_CERTIFICATE_EXPIRED',
    },
    {
      name: 'a leaf that is not valid any more',
      certificates: [leafUnder(root, { notAfter: w.utcTime('261121065959Z') })],
      code: 'EK_CERTIFICATE_EXPIRED',
    },
    {
      name: 'no anchors (pitfall 52)',
      certificates: [leafUnder(root)],
      trust: { anchors: [] },
      code: 'EK_AUTHORITY_UNKNOWN',
    },
    {
      name: 'an anchor among the certificates of the evidence only',
      certificates: [leafUnder(root), root.certificate],
      trust: { anchors: [authority('Other').certificate] },
      code: 'EK_AUTHORITY_UNKNOWN',
    },
    {
      name: 'an authority whose key would take long to check with',
      certificates: below({
        publicKeyInfo: w.sequence(
          w.sequence(w.oid('1.2.840.113549.1.1.1'), w.der(0x05)),
          w.bits(w.sequence(w.integer(0x7f, ...new Uint8Array(8000).fill(0xff)), w.integer(1, 0, 1))),
        ),
      }),
      code: 'EK_AUTHORITY_UNKNOWN',
    },
    {
      name: 'an authority that cannot be read',
      certificates: [leafUnder(root), root.certificate.subarray(1)],
      code: 'EK_CERTIFICATE_MALFORMED',
    },
    {
      name: 'thirteen certificates',
      certificates: Array.from({ length: 13 }, () => leafUnder(root)),
      code: 'EK_CERTIFICATE_MALFORMED',
    },
    { name: 'no certificate', certificates: [], code: 'EK_CERTIFICATE_MISSING' },
  ])('$name: $code', ({ certificates, trust = {}, code }) => {
    expect(codeOf(judge(certificates, trust))).toBe(code);
  });

  it('an expired anchor vouches for nobody', () => {
    const old = authority('Old', undefined, { notAfter: w.utcTime('250101000000Z') });
    expect(codeOf(judge([leafUnder(old)], { anchors: [old.certificate] }))).toBe('EK_CERTIFICATE_EXPIRED');
    expect(codeOf(judge([leafUnder(old)], { anchors: [old.certificate] }, ekKey, new Date('2024-06-01')))).toBe(null);
  });

  it('an authority on SHA-1 can be named itself: its own signature is not asked for then', () => {
    const old = authority('Old', { ...root, hash: 'sha1' });
    expect(codeOf(judge([leafUnder(old)], { anchors: [old.certificate] }))).toBe(null);
  });
});

it('no flipped bit of an EK certificate or of the authority above it leaves it believed', () => {
  const leaf = leafUnder(middle);
  const flip = (bytes: Uint8Array, at: number) =>
    bytes.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte));
  for (let at = 0; at < leaf.length; at += 1)
    expect(codeOf(judge([flip(leaf, at), middle.certificate])), `leaf ${at}`).not.toBe(null);
  for (let at = 0; at < middle.certificate.length; at += 1) {
    expect(codeOf(judge([leaf, flip(middle.certificate, at)])), `authority ${at}`).not.toBe(null);
  }
});
