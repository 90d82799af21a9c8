/** EK and AK certificates of real TPMs under the authorities of their vendors, where they are at hand (../shared/vectors). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { TpmtPublic } from 'tpm2-ts/public-area';
import { EK_TEMPLATES } from 'tpm2-ts/templates';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { canonicalName, nameText } from '../der/der-name.ts';
import { type Certificate, isSignedBy, parseCertificate } from './certificate.ts';
import { judgeEk } from './ek.ts';
import { findPath } from './ek-path.ts';
import { prepareTrust, readLeaf } from './ek-trust.ts';
import { VENDOR_ROOTS, vendorRootOf } from './vendor-roots.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, vectors)));
const fingerprintOf = (der: Uint8Array): string => toHex(crypto.hash('sha256', der));
/** Most certificates at hand are valid then. */
const TIME = new Date('2023-06-01T00:00:00Z');

interface IndexEntry {
  readonly file: string;
  readonly kind: 'EK' | 'AK';
  readonly key: string;
  readonly sig: string;
  readonly chain: string;
}

function pemOrDer(path: string): Uint8Array[] {
  const bytes = Buffer.from(read(path));
  const blocks = [...bytes.toString('latin1').matchAll(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----([^-]+)-----END/g)];
  if (blocks.length === 0) return [new Uint8Array(bytes)];
  return blocks.map((block) => new Uint8Array(Buffer.from(block[1] ?? '', 'base64')));
}

/** The certificates inside a WebAuthn statement: CBOR byte strings that hold a SEQUENCE. */
function insideCbor(path: string): Uint8Array[] {
  const bytes = read(path);
  const found: Uint8Array[] = [];
  for (let at = 0; at + 5 < bytes.length; at += 1) {
    if (bytes[at] !== 0x59 || bytes[at + 3] !== 0x30 || bytes[at + 4] !== 0x82) continue;
    found.push(bytes.slice(at + 3, at + 3 + 256 * (bytes[at + 1] ?? 0) + (bytes[at + 2] ?? 0)));
  }
  return found;
}

const folder = (path: string): string[] => readdirSync(new URL(path, vectors)).map((file) => `${path}/${file}`);
const pool = new Map<string, Uint8Array>();
const index: IndexEntry[] = present ? JSON.parse(Buffer.from(read('CERTS-INDEX.json')).toString('utf8')) : [];
if (present) {
  const authorities = [
    'loicsikidi_tpm-ca-certificates/MIRROR.tpm-ca-certificates.pem',
    'loicsikidi_tpm-ca-certificates/MIRROR.tpm-intermediate-ca-certificates.pem',
    ...folder('keylime_keylime/tpm_cert_store'),
    ...folder('google_go-tpm-tools/ca-certs'),
    ...folder('nsacyber_HIRS/certs/certificates/stMicroCaCerts'),
  ].flatMap(pemOrDer);
  const webauthn = folder('MasterKale_SimpleWebAuthn').filter((file) => file.endsWith('.cbor'));
  for (const der of [...authorities, ...webauthn.flatMap(insideCbor)]) pool.set(fingerprintOf(der), der);
}
const parsed = [...pool].map(([fingerprint, der]) => ({ fingerprint, der, certificate: parseCertificate(der) }));
const authorities = parsed.filter(({ certificate }) => certificate.isCa);
const known = authorities.filter(({ fingerprint }) => vendorRootOf(fingerprint) !== null);
const leafOf = ({ file }: IndexEntry) => readLeaf(read(file));

function publicAreaOf({ publicKey }: Certificate): TpmtPublic {
  if (publicKey.kind === 'rsa') return { ...EK_TEMPLATES.rsa, unique: publicKey.modulus };
  if (publicKey.kind !== 'ec') throw new Error('no key of a TPM');
  return { ...EK_TEMPLATES.ecc, unique: { x: publicKey.x, y: publicKey.y } };
}

const trustAll = () =>
  prepareTrust(
    { anchors: known.map(({ der }) => der), extraCertificates: authorities.map(({ der }) => der), revocationLists: [] },
    crypto,
  );
const judge = (stored: Uint8Array, time = TIME) =>
  judgeEk([stored], publicAreaOf(readLeaf(stored).certificate), trustAll(), time, crypto);

/** What CERTS-INDEX.json calls a chain that Python's X.509 reader could not follow. */
const CHAINS: Readonly<Record<string, string>> = {
  'EK-NTC-NPCT75x-933cdb17.der': 'CN=Nuvoton TPM Root CA 2111',
  // its authority, Nuvoton TPM Root CA 2010, is in no collection
  'EK-NTC-NPCT6xx-3c5e8e09.der': 'no chain in pools',
};
const chainOf = (entry: IndexEntry): string => CHAINS[entry.file.split('/').at(-1) ?? ''] ?? entry.chain;

describe.skipIf(!present)(present ? 'real certificates' : 'real certificates (skipped: no vectors)', () => {
  it('are there', () => {
    expect(index.length).toBeGreaterThan(20);
    expect(authorities.length).toBeGreaterThan(150);
  });

  it.each(index)('$file chains as its index says', (entry) => {
    const { certificate } = leafOf(entry);
    const roots = authorities.map((each) => each.certificate).filter((each) => isSelfSigned(each));
    const others = authorities.map((each) => each.certificate).filter((each) => !isSelfSigned(each));
    const named = (from: readonly Certificate[]) => (subject: Uint8Array) =>
      from.filter((each) => canonicalName(each.subject) === canonicalName(subject));
    const sources = { anchors: named(roots), intermediates: named(others), known: new WeakMap() };
    const found = findPath(certificate, sources, TIME.getTime(), crypto);
    const chain = chainOf(entry);
    if (chain === 'no chain in pools') return expect(found).not.toHaveProperty('path');
    if (chain.includes('KEYID')) {
      // Microsoft's authorities for attestation keys say themselves that they are for nothing else; Intel's is not at hand
      const sentence = expect.stringMatching(/other uses only|its issuer is CN=NCU-INTC/);
      return expect(found).toMatchObject({ sentence });
    }
    if (!('path' in found)) throw new Error(found.sentence);
    const wanted = chain.split(' <- ');
    const actual = found.path.slice(1).map((each) => nameText(each.subject));
    expect(actual.length).toBe(wanted.length);
    for (const [at, name] of wanted.entries()) expect(actual[at]).toContain(name);
  });

  it.each<[file: string, outcome: string, quirks: readonly string[]]>([
    ['keylime_keylime/ek-ak-certs/EK-IFX-SLB_9670_TPM2.0-234480e4.der', 'hardware', []],
    ['keylime_keylime/ek-ak-certs/EK-IFX-SLB_9670_TPM2.0-dfd310e7.der', 'hardware', []],
    ['keylime_keylime/ek-ak-certs/EK-STM-ST33HTPHAHB4-73ffb9ae.der', 'hardware', []],
    ['keylime_keylime/ek-ak-certs/EK-STM-ST33HTPHAHB4-85f38843.der', 'hardware', []],
    ['keylime_keylime/ek-ak-certs/EK-NTC-NPCT75x-933cdb17.der', 'hardware', ['set-order']],
    ['keylime_keylime/ek-ak-certs/EK-IBM-swtpm-swtpm-3a888ace.der', 'EK_AUTHORITY_UNKNOWN', []],
    ['nsacyber_HIRS/ek-ak-certs/EK-STM-ST33ZP24PVSP-07d685f9.der', 'hardware', ['rsaes-oaep-key', 'sha1-signature']],
    ['nsacyber_HIRS/ek-ak-certs/EK-STM-ST33ZP24PVSP-6de7b2a2.der', 'hardware', ['rsaes-oaep-key', 'sha1-signature']],
    ['nsacyber_HIRS/ek-ak-certs/EK-STM-ST33ZP24PVSP-411a4bb6.der', 'hardware', ['rsaes-oaep-key', 'sha1-signature']],
    [
      'nsacyber_HIRS/certs/certificates/nuc-1/ek_cert_untouched.cer',
      'hardware',
      ['nv-header', 'rsaes-oaep-key', 'sha1-signature'],
    ],
    [
      'nsacyber_HIRS/certs/certificates/ek_cert_with_padded_bytes.cer',
      'EK_AUTHORITY_UNKNOWN',
      ['nv-padding', 'set-order', 'rsaes-oaep-key', 'sha1-signature'],
    ],
    ['google_go-tpm-tools/ek-ak-certs/EK-GOOG-vTPM-vTPM-9fdd7997.der', 'cloud', []],
    ['google_go-tpm-tools/ek-ak-certs/EK-GOOG-vTPM-vTPM-af614aee.der', 'cloud', []],
    // made for keys that sign, although marked with the usage of an EK
    ['google_go-tpm-tools/ek-ak-certs/EK-GOOG-vTPM-vTPM-7dbdf36e.der', 'EK_CERTIFICATE_PURPOSE', []],
    ['google_go-tpm-tools/ek-ak-certs/EK-GOOG-vTPM-vTPM-9c49baf0.der', 'EK_CERTIFICATE_PURPOSE', []],
    ['google_go-tpm-tools/ek-ak-certs/EK-GOOG-vTPM-vTPM-d2ec0b0a.der', 'EK_CERTIFICATE_PURPOSE', []],
    // of a TPM 1.2: not marked as an EK certificate in the way of TPM 2.0
    ['nsacyber_HIRS/certs/certificates/ek_cert_with_security_assertions.cer', 'EK_CERTIFICATE_PURPOSE', []],
  ])('%s: %s', (file, outcome, quirks) => {
    const judged = judge(read(file));
    if ('code' in judged) return expect(judged.code).toBe(outcome);
    expect(judged.unknownCode ?? judged.identity.class).toBe(outcome);
    expect(judged.identity.quirks).toEqual(quirks);
    expect(judged.identity.manufacturer).toMatch(/^id:/);
  });

  it.each(index.filter(({ kind }) => kind === 'AK'))('$file is no EK certificate', ({ file }) => {
    expect(judge(read(file))).toMatchObject({ code: 'EK_CERTIFICATE_PURPOSE' });
  });

  it.each(index)('$file: no flipped bit leaves it signed', (entry) => {
    const { certificate } = leafOf(entry);
    const issuer = authorities.find(({ certificate: each }) => signs(each, certificate))?.certificate;
    if (issuer === undefined) return;
    for (let at = 0; at < certificate.der.length; at += 1) {
      const flipped = Uint8Array.from(certificate.der);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      let changed: Certificate;
      try {
        changed = parseCertificate(flipped);
      } catch (error) {
        expect(error).toMatchObject({ code: 'CERTIFICATE_MALFORMED' });
        continue;
      }
      expect(signs(issuer, changed), `byte ${at}`).toBe(false);
    }
  });

  it.each(index)('$file cut anywhere is refused', ({ file }) => {
    const { der } = readLeaf(read(file)).certificate;
    for (let length = 0; length < der.length; length += 1) {
      expect(() => parseCertificate(der.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'CERTIFICATE_MALFORMED' }),
      );
    }
  });
});

const signs = (issuer: Certificate, child: Certificate): boolean =>
  isSignedBy(child.signed, issuer, crypto, { sha1: 'allowed' });
const isSelfSigned = (certificate: Certificate): boolean =>
  Buffer.compare(certificate.subject, certificate.issuer) === 0 && signs(certificate, certificate);

describe.skipIf(!present)(
  present ? 'the table of vendor roots' : 'the table of vendor roots (skipped: no vectors)',
  () => {
    it('names certificates that are there, by their own subject', () => {
      for (const root of VENDOR_ROOTS) {
        const found = parsed.find(({ fingerprint }) => fingerprint === root.fingerprint);
        expect(found, root.subject).toBeDefined();
        const words = root.subject.replace(/[()]/g, ' ').split(/\s+/);
        const text = found === undefined ? '' : nameText(found.certificate.subject).replace(/[()]/g, ' ');
        const kind = found?.certificate.publicKey.kind === 'ec' ? 'ECC' : 'RSA';
        for (const word of words) expect(`${text} ${kind}`).toContain(word);
      }
    });

    it('knows every self-signed authority that is there, except those made for tests', () => {
      const strangers = authorities.filter(
        ({ certificate, fingerprint }) => isSelfSigned(certificate) && vendorRootOf(fingerprint) === null,
      );
      expect(
        strangers.map(({ certificate }) => nameText(certificate.subject)).filter((name) => !/FIDO|Fake/i.test(name)),
      ).toEqual([]);
    });

    it('leads every intermediate of the collections to one of its roots', () => {
      const trust = trustAll();
      const astray = authorities.filter(({ certificate, fingerprint }) => {
        if (vendorRootOf(fingerprint) !== null || /FIDO|KEYID/.test(nameText(certificate.subject))) return false;
        return !(
          'path' in findPath(certificate, trust, Math.max(certificate.notBeforeMs, Date.parse('2026-06-01')), crypto)
        );
      });
      expect(astray.map(({ certificate }) => nameText(certificate.subject))).toEqual([]);
    });
  },
);
