import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { parseCertificate } from '../endorsement/certificate.ts';
import { publishedLinks } from '../endorsement/certificate-links.ts';
import {
  newKey,
  type Signer,
  spkiOf,
  usages,
  writeCertificate,
  writeRevocationList,
} from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import { importTrust, type NamedRoots } from './import.ts';
import { EMPTY_STORE, encodeTrustStore, parseTrustStore, type TrustStore } from './store.ts';

const fingerprintOf = (der: Uint8Array): string => toHex(crypto.hash('sha256', der));
function authority(text: string, by?: Signer): Signer & { certificate: Uint8Array; fingerprint: string } {
  const own = { key: newKey(), name: w.commonName(text) };
  const extensions = [usages.ca, usages.certSign];
  const certificate = writeCertificate({
    signer: by ?? own,
    subject: own.name,
    publicKeyInfo: spkiOf(own.key),
    extensions,
  });
  return { ...own, certificate, fingerprint: fingerprintOf(certificate) };
}
const root = authority('Lab Root');
const middle = authority('Lab Intermediate', root);
const list = writeRevocationList({ signer: root });
const leaf = writeCertificate({
  signer: middle,
  subject: w.sequence(),
  publicKeyInfo: spkiOf(newKey()),
  extensions: [usages.ek],
});

const take = (
  certificates: readonly Uint8Array[],
  named: NamedRoots = new Map(),
  store: TrustStore = EMPTY_STORE,
  revocationLists: readonly Uint8Array[] = [],
) => importTrust(store, { certificates, revocationLists }, named, crypto);
const fingerprints = (from: readonly { readonly fingerprint: string }[]): readonly string[] =>
  from.map(({ fingerprint }) => fingerprint);

describe('an import', () => {
  it('takes a root that is named, with what it stands for; intermediates are no anchors', () => {
    const { store, present } = take(
      [root.certificate, middle.certificate, root.certificate],
      new Map([[root.fingerprint, 'firmware']]),
      EMPTY_STORE,
      [list],
    );
    expect(fingerprints(store.anchors)).toEqual([root.fingerprint]);
    expect(store.anchors[0]).toMatchObject({ known: null, statedClass: 'firmware' });
    expect(fingerprints(store.intermediates)).toEqual([middle.fingerprint]);
    expect([store.revocationLists.length, present]).toEqual([1, 0]);
  });

  it('refuses an unknown root, with its name and fingerprint, whatever else is in the files', () => {
    expect(() => take([middle.certificate, root.certificate])).toThrow(
      expect.objectContaining({ code: 'TRUST_ROOT_UNKNOWN', message: expect.stringContaining(root.fingerprint) }),
    );
  });

  it('refuses a name that fits no certificate, and certificates of machines', () => {
    const absent = new Map([['0'.repeat(64), null]]);
    expect(() => take([middle.certificate], absent)).toThrow(
      expect.objectContaining({ code: 'TRUST_FINGERPRINT_ABSENT' }),
    );
    expect(() => take([leaf])).toThrow(expect.objectContaining({ code: 'TRUST_NOT_AUTHORITY' }));
    expect(() => take([leaf], new Map([[fingerprintOf(leaf), 'hardware' as const]]))).toThrow(
      expect.objectContaining({ code: 'TRUST_NOT_AUTHORITY' }),
    );
  });

  it('makes an anchor of an intermediate that is named', () => {
    const before = take([middle.certificate]).store;
    const { store } = take([middle.certificate], new Map([[middle.fingerprint, null]]), before);
    expect(fingerprints(store.anchors)).toEqual([middle.fingerprint]);
    expect(store.intermediates).toEqual([]);
  });

  it('again changes nothing, except what is said of an anchor', () => {
    const named = new Map([[root.fingerprint, 'hardware' as const]]);
    const once = take([root.certificate, middle.certificate], named, EMPTY_STORE, [list]).store;
    const again = take([root.certificate, middle.certificate], named, once, [list]);
    expect(again.store).toEqual(once);
    expect(again.present).toBe(3);
    const other = take([root.certificate], new Map([[root.fingerprint, 'cloud' as const]]), once).store;
    expect(other.anchors.map(({ statedClass }) => statedClass)).toEqual(['cloud']);
  });

  it('of what cannot be read takes nothing', () => {
    expect(() => take([root.certificate.subarray(1)])).toThrow(
      expect.objectContaining({ code: 'CERTIFICATE_MALFORMED' }),
    );
    expect(() => take([], new Map(), EMPTY_STORE, [root.certificate])).toThrow(
      expect.objectContaining({ code: 'REVOCATION_LIST_MALFORMED' }),
    );
  });
});

describe('a trust store', () => {
  const { store } = take(
    [root.certificate, middle.certificate],
    new Map([[root.fingerprint, 'cloud' as const]]),
    EMPTY_STORE,
    [list],
  );

  it('is read as it was written', () => {
    const read = parseTrustStore(encodeTrustStore(store), crypto);
    expect(fingerprints(read.anchors)).toEqual([root.fingerprint]);
    expect(encodeTrustStore(read)).toBe(encodeTrustStore(store));
  });

  it.each([
    { name: 'no JSON', json: '{' },
    { name: 'an unknown key', json: encodeTrustStore(store).replace('"intermediates"', '"intermediate"') },
    { name: 'another version', json: encodeTrustStore(store).replace('"version": 1', '"version": 2') },
    {
      name: 'an anchor that nobody named',
      json: encodeTrustStore(store).replace('"namedByHand": true', '"namedByHand": false'),
    },
    { name: 'a class that is none', json: encodeTrustStore(store).replace('"cloud"', '"hardwares"') },
    { name: 'a changed certificate', json: encodeTrustStore(store).replace('"MII', '"AII') },
    { name: 'no base64', json: encodeTrustStore(store).replace('"MII', '"!!!') },
  ])('with $name is refused', ({ json }) => {
    expect(json).not.toBe(encodeTrustStore(store));
    expect(() => parseTrustStore(json, crypto)).toThrow(expect.objectContaining({ code: 'TRUST_STORE_MALFORMED' }));
  });
});

describe('published links (pitfall 51: never fetched)', () => {
  const uri = (text: string): Uint8Array => w.der(0x86, new TextEncoder().encode(text));
  const certificateWith = (...extensions: Uint8Array[]) =>
    parseCertificate(
      writeCertificate({ signer: root, subject: root.name, publicKeyInfo: spkiOf(root.key), extensions }),
    );

  it('are read off, to be shown', () => {
    const access = w.extension(
      '1.3.6.1.5.5.7.1.1',
      w.sequence(w.sequence(w.oid('1.3.6.1.5.5.7.48.2'), uri('http://ca/ca.crt'))),
    );
    const points = w.extension('2.5.29.31', w.sequence(w.sequence(w.der(0xa0, w.der(0xa0, uri('http://ca/ca.crl'))))));
    expect(publishedLinks(certificateWith(access, points))).toEqual({
      issuers: ['http://ca/ca.crt'],
      revocationLists: ['http://ca/ca.crl'],
    });
  });

  it('in odd forms are left out, and 200 are cut to a few', () => {
    const many = w.extension(
      '2.5.29.31',
      w.sequence(...Array.from({ length: 200 }, () => w.sequence(w.der(0xa0, w.der(0xa0, uri('http://x/')))))),
    );
    const broken = w.extension('1.3.6.1.5.5.7.1.1', w.sequence(uri('http://a b\u0007'), Uint8Array.of(0x30, 0x7f)));
    const links = publishedLinks(certificateWith(many, broken));
    expect(links.issuers).toEqual([]);
    expect(links.revocationLists.length).toBeLessThanOrEqual(8);
  });
});
