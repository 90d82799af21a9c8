import type { KeyObject } from 'node:crypto';
import { EK_TEMPLATES } from 'tpm2-ts/templates';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from './crypto-node.ts';
import { judgeEk } from './ek.ts';
import { prepareTrust, type TrustInput } from './ek-trust.ts';
import {
  type CertificateFields,
  ekPublicOf,
  type KeyKind,
  newKey,
  oaepSpkiOf,
  type Signer,
  spkiOf,
  tpmName,
  usages,
  writeCertificate,
  writeRevocationList,
} from './testing/certificate-writer-node.ts';
import * as w from './testing/der-writer.ts';

const TIME = new Date('2026-11-21T07:00:00Z');
const INFINEON = 'id:49465800';

type Authority = Signer & { readonly certificate: Uint8Array; readonly fingerprint: string };

function authority(text: string, by?: Signer, fields: Partial<CertificateFields> = {}, key = newKey()): Authority {
  const name = w.commonName(text);
  const own: Signer = { key, name };
  const certificate = writeCertificate({
    signer: by ?? own,
    subject: name,
    publicKeyInfo: spkiOf(key),
    extensions: [usages.ca, usages.certSign],
    ...fields,
  });
  return { ...own, certificate, fingerprint: toHex(crypto.hash('sha256', certificate)) };
}

const ekKey = newKey();
const root = authority('Some Root');
const middle = authority('Some Intermediate', root);
const leafUnder = (signer: Signer, fields: Partial<CertificateFields> = {}, key: KeyObject = ekKey): Uint8Array =>
  writeCertificate({
    signer,
    subject: w.sequence(),
    publicKeyInfo: spkiOf(key),
    extensions: [
      usages.ek,
      tpmName(INFINEON),
      key.asymmetricKeyType === 'rsa' ? usages.keyEncipherment : usages.keyAgreement,
    ],
    ...fields,
  });

function judge(
  certificates: readonly Uint8Array[],
  trust: Partial<TrustInput> = {},
  key: KeyObject = ekKey,
  time = TIME,
) {
  const input = { anchors: [root.certificate], extraCertificates: [], revocationLists: [], ...trust };
  return judgeEk(certificates, ekPublicOf(key), prepareTrust(input, crypto), time, crypto);
}
const HARDWARE = { [root.fingerprint]: 'hardware' } as const;
const codeOf = (judged: ReturnType<typeof judge>): string | null =>
  'code' in judged ? judged.code : judged.unknownCode;
const identityOf = (judged: ReturnType<typeof judge>) => {
  if ('code' in judged) throw new Error(judged.sentence);
  return judged.identity;
};

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

describe('a chain that must not be believed', () => {
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
    { name: 'no anchors', certificates: [leafUnder(root)], trust: { anchors: [] }, code: 'EK_AUTHORITY_UNKNOWN' },
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

describe('the EK certificate itself', () => {
  const withExtensions = (...extensions: Uint8Array[]): Uint8Array => leafUnder(root, { extensions });
  const name = tpmName(INFINEON);

  it.each([
    { name: 'no extended key usage', leaf: withExtensions(name) },
    {
      name: 'another usage',
      leaf: withExtensions(name, w.extension('2.5.29.37', w.sequence(w.oid('1.3.6.1.5.5.7.3.1')))),
    },
    { name: 'a key that only signs', leaf: withExtensions(name, usages.ek, usages.digitalSignature) },
    { name: "RSA's usage with an elliptic key", leaf: withExtensions(name, usages.ek, usages.keyEncipherment) },
    { name: 'the rights of an authority', leaf: withExtensions(name, usages.ek, usages.ca) },
    {
      name: 'an unknown critical extension',
      leaf: withExtensions(name, usages.ek, w.extension('1.2.3.4', w.sequence(), w.TRUE)),
    },
  ])('with $name is refused', ({ leaf }) => expect(codeOf(judge([leaf]))).toBe('EK_CERTIFICATE_PURPOSE'));

  it('may have the usage of an EK second in the list, critical or not', () => {
    const usage = w.sequence(w.oid('1.3.6.1.5.5.7.3.1'), w.oid('2.23.133.8.1'));
    expect(codeOf(judge([withExtensions(name, w.extension('2.5.29.37', usage, w.TRUE))]))).toBe(null);
  });

  it('for another key is refused, whoever signed it', () => {
    expect(codeOf(judge([leafUnder(root, {}, newKey())]))).toBe('EK_KEY_MISMATCH');
    expect(codeOf(judge([leafUnder(root, {}, newKey('rsa'))]))).toBe('EK_KEY_MISMATCH');
  });

  it('handed over by hand is found by its key and checked like any other', () => {
    const byHand = (leaf: Uint8Array) =>
      judge([], { extraCertificates: [leafUnder(root, {}, newKey()), leaf], anchorClasses: HARDWARE });
    expect(identityOf(byHand(leafUnder(root))).class).toBe('hardware');
    expect(codeOf(byHand(leafUnder(root, {}, newKey())))).toBe('EK_CERTIFICATE_MISSING');
    expect(codeOf(byHand(leafUnder(root, { forged: true })))).toBe('EK_AUTHORITY_UNKNOWN');
    expect(codeOf(byHand(withExtensions(name)))).toBe('EK_CERTIFICATE_PURPOSE');
  });

  it.each([
    { restricted: false },
    { decrypt: false },
    { fixedTpm: false },
    { fixedParent: false },
    { signEncrypt: true },
  ])('of an EK with %o is refused', (attributes) => {
    const ek = ekPublicOf(ekKey);
    const changed = { ...ek, attributes: { ...ek.attributes, ...attributes } } as typeof ek;
    const trust = prepareTrust({ anchors: [root.certificate], extraCertificates: [], revocationLists: [] }, crypto);
    expect(judgeEk([leafUnder(root)], changed, trust, TIME, crypto)).toMatchObject({ code: 'EK_ATTRIBUTES_UNSAFE' });
  });

  it('of an EK that fits no template is accepted and the template named as a quirk', () => {
    const ek = { ...ekPublicOf(ekKey), authPolicy: new Uint8Array(32) };
    const trust = prepareTrust({ anchors: [root.certificate], extraCertificates: [], revocationLists: [] }, crypto);
    expect(identityOf(judgeEk([leafUnder(root)], ek, trust, TIME, crypto)).quirks).toEqual(['ek-template']);
  });
});

describe('quirks of EK certificates, named in the result', () => {
  const rsa = newKey('rsa');
  const shuffled = w.sequence(
    w.set(w.sequence(w.oid('2.5.4.10'), w.utf8('An organisation')), w.sequence(w.oid('2.5.4.3'), w.utf8('A'))),
  );
  const padded = (leaf: Uint8Array, fill: number): Uint8Array =>
    Uint8Array.from([...leaf, ...new Uint8Array(50).fill(fill)]);
  const headed = (leaf: Uint8Array): Uint8Array =>
    Uint8Array.from([0x10, 0x01, 0x00, (leaf.length + 2) >> 8, (leaf.length + 2) & 0xff, 0x10, 0x02, ...leaf]);

  it.each<{ name: string; leaf: Uint8Array; quirks: readonly string[]; key?: KeyObject }>([
    {
      name: 'RSAES-OAEP',
      leaf: leafUnder(root, { publicKeyInfo: oaepSpkiOf(rsa) }, rsa),
      key: rsa,
      quirks: ['rsaes-oaep-key'],
    },
    { name: 'SHA-1', leaf: leafUnder({ ...root, hash: 'sha1' }), quirks: ['sha1-signature'] },
    { name: 'a SET out of order', leaf: leafUnder(root, { subject: shuffled }), quirks: ['set-order'] },
    { name: 'padding of 00', leaf: padded(leafUnder(root), 0), quirks: ['nv-padding'] },
    { name: 'padding of FF', leaf: padded(leafUnder(root), 0xff), quirks: ['nv-padding'] },
    { name: 'the head of a stored certificate', leaf: headed(leafUnder(root)), quirks: ['nv-header'] },
    { name: 'both', leaf: padded(headed(leafUnder(root)), 0), quirks: ['nv-header', 'nv-padding'] },
    {
      name: 'a negative serial number',
      leaf: leafUnder(root, { serial: w.integer(0xe9, 0xba) }),
      quirks: ['serial-number'],
    },
    { name: 'a serial number of zero', leaf: leafUnder(root, { serial: w.integer(0) }), quirks: ['serial-number'] },
    {
      name: 'a serial number in a longer form',
      leaf: leafUnder(root, { serial: w.integer(0, 1) }),
      quirks: ['serial-number'],
    },
    {
      name: 'a serial number of 24 bytes',
      leaf: leafUnder(root, { serial: w.integer(...Array.from({ length: 24 }, () => 0x55)) }),
      quirks: ['serial-number'],
    },
    {
      name: 'a date without seconds',
      leaf: leafUnder(root, { notBefore: w.utcTime('2001010000Z') }),
      quirks: ['time-form'],
    },
    {
      name: 'a date in another zone',
      leaf: leafUnder(root, { notBefore: w.utcTime('200101000000+0100') }),
      quirks: ['time-form'],
    },
    {
      name: 'fractions of a second',
      leaf: leafUnder(root, { notBefore: w.generalizedTime('20200101000000.5Z') }),
      quirks: ['time-form'],
    },
    {
      name: 'GeneralizedTime before 2050',
      leaf: leafUnder(root, { notAfter: w.generalizedTime('20301231235959Z') }),
      quirks: ['time-form'],
    },
    {
      name: 'CA:FALSE written out',
      leaf: leafUnder(root, { extensions: [usages.ek, w.extension('2.5.29.19', w.sequence(w.FALSE), w.TRUE)] }),
      quirks: ['explicit-default'],
    },
    {
      name: 'a TRUE of 01',
      leaf: leafUnder(root, {
        extensions: [usages.ek, w.extension('2.5.29.35', w.sequence(), w.der(1, Uint8Array.of(1)))],
      }),
      quirks: ['boolean-form'],
    },
    {
      name: 'an alternative name without structure',
      leaf: leafUnder(root, { extensions: [usages.ek, w.extension('2.5.29.17', w.utf8('TPM of somebody'))] }),
      quirks: ['unstructured-alternative-name'],
    },
    {
      name: 'none: notAfter 99991231235959Z, empty subject, critical alternative name',
      leaf: leafUnder(root),
      quirks: [],
    },
  ])('$name', ({ leaf, quirks, key = ekKey }) => {
    expect(identityOf(judge([leaf], {}, key)).quirks).toEqual(quirks);
  });

  it('SHA-1 is named as a weakness too', () => {
    const links = identityOf(judge([leafUnder({ ...root, hash: 'sha1' })])).weaknesses.map(({ link }) => link);
    expect(links).toContain('SECURITY.md#sha-1-in-old-ek-certificates');
  });

  it.each([
    { name: 'other bytes behind it', leaf: Uint8Array.from([...leafUnder(root), 0, 0, 1]) },
    {
      name: 'a head of another length',
      leaf: headed(leafUnder(root)).map((byte, index) => (index === 4 ? byte ^ 1 : byte)),
    },
    { name: 'a head of another kind', leaf: headed(leafUnder(root)).map((byte, index) => (index === 6 ? 3 : byte)) },
    { name: 'a date that does not exist', leaf: leafUnder(root, { notBefore: w.utcTime('250229000000Z') }) },
    { name: 'a date in words', leaf: leafUnder(root, { notBefore: w.generalizedTime('today') }) },
    { name: 'version 1', leaf: leafUnder(root, { version: w.der(0xa0, w.integer(0)) }) },
    { name: 'an extension twice', leaf: leafUnder(root, { extensions: [usages.ek, usages.ek] }) },
    { name: 'an empty serial number', leaf: leafUnder(root, { serial: w.integer() }) },
    { name: 'a megabyte', leaf: leafUnder(root, { subject: w.commonName('x'.repeat(1_000_000)) }) },
  ])('$name is malformed', ({ leaf }) => expect(codeOf(judge([leaf]))).toBe('EK_CERTIFICATE_MALFORMED'));

  it('control characters and direction marks of a name do not reach the reader', () => {
    const leaf = leafUnder(root, { subject: w.commonName('a\u001b[2Jb\u202ec'), forged: true });
    const { evidence } = identityOf(judge([leaf]));
    expect(evidence).toContain('CN=a\ufffd[2Jb\ufffdc');
  });
});

describe('revocation lists', () => {
  const serial = w.integer(0x12, 0x34);
  const leaf = leafUnder(middle, { serial });
  const judgeWith = (...lists: Uint8Array[]) =>
    judge([leaf, middle.certificate], { revocationLists: lists, anchorClasses: HARDWARE });

  it('that do not name the certificate are counted in the evidence', () => {
    const judged = judgeWith(
      writeRevocationList({ signer: middle }),
      writeRevocationList({ signer: root, revoked: [serial] }),
    );
    expect(identityOf(judged).evidence).toContain('2 current revocation list(s)');
  });

  it.each([
    {
      name: 'the EK certificate',
      list: writeRevocationList({ signer: middle, revoked: [w.integer(9), serial] }),
      code: 'EK_CERTIFICATE_REVOKED',
    },
    {
      name: 'its authority',
      list: writeRevocationList({ signer: root, revoked: [w.integer(1)] }),
      code: 'EK_CERTIFICATE_REVOKED',
    },
    {
      name: 'nothing, forged',
      list: writeRevocationList({ signer: middle, forged: true }),
      code: 'REVOCATION_LIST_INVALID',
    },
    {
      name: 'nothing, by somebody of that name',
      list: writeRevocationList({ signer: { key: newKey(), name: middle.name } }),
      code: 'REVOCATION_LIST_INVALID',
    },
    {
      name: 'nothing, signed over SHA-1',
      list: writeRevocationList({ signer: { ...middle, hash: 'sha1' } }),
      code: 'REVOCATION_LIST_INVALID',
    },
    {
      name: 'nothing, out of date',
      list: writeRevocationList({ signer: middle, nextUpdate: w.utcTime('261120000000Z') }),
      code: 'REVOCATION_LIST_STALE',
    },
    {
      name: 'nothing, of tomorrow',
      list: writeRevocationList({ signer: middle, thisUpdate: w.utcTime('261122000000Z') }),
      code: 'REVOCATION_LIST_STALE',
    },
  ])('that name $name: $code', ({ list, code }) => expect(codeOf(judgeWith(list))).toBe(code));

  it('by an authority that may not sign lists are refused', () => {
    const only = w.extension('2.5.29.15', w.der(0x03, Uint8Array.of(2, 0x04)), w.TRUE);
    const mute = authority('Mute', root, { extensions: [usages.ca, only] });
    const judged = judge([leafUnder(mute), mute.certificate], {
      revocationLists: [writeRevocationList({ signer: mute })],
    });
    expect(codeOf(judged)).toBe('REVOCATION_LIST_INVALID');
  });

  it('of another authority of the same name belong to that one', () => {
    const namesake = authority('Some Intermediate', root);
    const revocationLists = [writeRevocationList({ signer: namesake, revoked: [serial] })];
    const certificates = [leaf, middle.certificate];
    const known = { revocationLists, extraCertificates: [namesake.certificate] };
    expect(codeOf(judge(certificates, known))).toBe(null);
    expect(codeOf(judge(certificates, { revocationLists }))).toBe('REVOCATION_LIST_INVALID');
  });

  it('of the same authority: the newest counts', () => {
    const old = writeRevocationList({
      signer: middle,
      thisUpdate: w.utcTime('250101000000Z'),
      nextUpdate: w.utcTime('250201000000Z'),
    });
    expect(codeOf(judgeWith(old))).toBe('REVOCATION_LIST_STALE');
    expect(codeOf(judgeWith(old, writeRevocationList({ signer: middle })))).toBe(null);
    expect(codeOf(judgeWith(old, writeRevocationList({ signer: middle, revoked: [serial] })))).toBe(
      'EK_CERTIFICATE_REVOKED',
    );
  });

  it.each([
    { name: 'garbage', list: new Uint8Array(40) },
    { name: 'one cut short', list: writeRevocationList({ signer: middle }).subarray(0, -1) },
    { name: 'one without nextUpdate', list: writeRevocationList({ signer: middle, nextUpdate: null }) },
    {
      name: 'a delta list',
      list: writeRevocationList({ signer: middle, extensions: [w.extension('2.5.29.27', w.integer(1), w.TRUE)] }),
    },
    {
      name: 'one for some reasons only',
      list: writeRevocationList({
        signer: middle,
        extensions: [w.extension('2.5.29.28', w.sequence(w.der(0x83, Uint8Array.of(1, 6))), w.TRUE)],
      }),
    },
    {
      name: 'one with entries of other authorities',
      list: writeRevocationList({
        signer: middle,
        revoked: [serial],
        entryExtensions: [w.extension('2.5.29.29', w.sequence(), w.TRUE)],
      }),
    },
  ])('$name: cannot be judged with', ({ list }) => {
    expect(() => judgeWith(list)).toThrow(expect.objectContaining({ code: 'REVOCATION_LIST_MALFORMED' }));
  });

  it('for users only, with a place of publication, are whole', () => {
    const point = w.extension(
      '2.5.29.28',
      w.sequence(w.der(0xa0, w.der(0xa0)), w.der(0x81, Uint8Array.of(0xff))),
      w.TRUE,
    );
    expect(codeOf(judgeWith(writeRevocationList({ signer: middle, extensions: [point] })))).toBe(null);
  });
});

describe('the class', () => {
  const classOf = (
    manufacturer: string,
    stated?: 'hardware' | 'firmware' | 'cloud' | 'software' | 'unknown',
    model?: string,
  ) =>
    identityOf(
      judge([leafUnder(root, { extensions: [usages.ek, tpmName(manufacturer, model)] })], {
        anchorClasses: stated === undefined ? undefined : { [root.fingerprint]: stated },
      }),
    ).class;

  it('of an authority in no table is what the operator says, never more than the maker makes', () => {
    expect(classOf(INFINEON)).toBe('unknown');
    expect(classOf(INFINEON, 'hardware')).toBe('hardware');
    expect(classOf(INFINEON, 'cloud')).toBe('cloud');
    expect(classOf('id:494E5443', 'hardware')).toBe('firmware');
    expect(classOf('id:474F4F47', 'hardware')).toBe('cloud');
    expect(classOf('id:12345678', 'firmware')).toBe('firmware');
    expect(classOf('id:12345678', 'unknown')).toBe('unknown');
  });

  it('is software for whatever calls itself so', () => {
    expect(classOf('id:00001014', 'hardware')).toBe('software');
    expect(classOf('id:564D5700', 'hardware')).toBe('software');
    expect(classOf(INFINEON, 'hardware', 'swtpm')).toBe('software');
    const local = authority('swtpm-localca');
    expect(identityOf(judge([leafUnder(local)], { anchors: [local.certificate] })).class).toBe('software');
  });
});

it('a key that gives itself away (ROCA) makes no class', () => {
  // 65537^1 · 65537^2 modulo the first 126 primes, as the flawed library built its keys
  const primes: number[] = [];
  for (let each = 2; primes.length < 126; each += 1) if (primes.every((prime) => each % prime !== 0)) primes.push(each);
  const product = primes.reduce((sum, prime) => sum * BigInt(prime), 1n);
  const modulus = ((1n << 54n) * product + 65_537n) * ((1n << 52n) * product + 65_537n ** 2n);
  const bytes = fromHex(modulus.toString(16).padStart(512, '0'));
  const publicKeyInfo = w.sequence(
    w.sequence(w.oid('1.2.840.113549.1.1.1'), w.der(0x05)),
    w.bits(w.sequence(w.integer(...((bytes[0] ?? 0) >= 0x80 ? [0] : []), ...bytes), w.integer(1, 0, 1))),
  );
  const extensions = [usages.ek, tpmName(INFINEON), usages.keyEncipherment];
  const input = { anchors: [root.certificate], extraCertificates: [], revocationLists: [], anchorClasses: HARDWARE };
  const ek = { ...EK_TEMPLATES.rsa, unique: bytes };
  const leaf = leafUnder(root, { publicKeyInfo, extensions });
  const identity = identityOf(judgeEk([leaf], ek, prepareTrust(input, crypto), TIME, crypto));
  expect(identity.class).toBe('unknown');
  expect(identity.evidence).toContain('ROCA');
});

describe('what was named cannot be read', () => {
  it.each(['anchors', 'extraCertificates'] as const)('%s', (field) => {
    expect(() => judge([leafUnder(root)], { [field]: [root.certificate.subarray(0, 100)] })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(CERTIFICATE|DER)_MALFORMED$/) }),
    );
  });
});
