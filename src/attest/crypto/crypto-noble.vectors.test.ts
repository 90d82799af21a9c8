/** Both cryptographies on real certificates and quotes (../shared/vectors), signatures as they are and with a byte changed. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate } from '@peculiar/asn1-x509';
import { decode } from 'tpm2-ts/codec';
import { tpmtPublic } from 'tpm2-ts/public-area';
import { rawSignature, subjectPublicKeyInfo } from 'tpm2-ts/public-key';
import { tpmtSignature } from 'tpm2-ts/signature';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/bytes.ts';
import { CURVE_BYTES, type SignatureCheck } from './crypto.ts';
import { nobleAttestCrypto } from './crypto-noble.ts';
import { nodeAttestCrypto } from './crypto-node.ts';
import { readPublicKeyInfo } from './spki.ts';

const folder = join(import.meta.dirname, '../../../../shared/vectors');
const present = existsSync(folder);
const files = present ? (readdirSync(folder, { recursive: true, encoding: 'utf8' }) as string[]).sort() : [];
const skipped = present ? '' : ' (skipped: no vectors)';

const ALGORITHMS: { readonly [oid: string]: Pick<SignatureCheck, 'scheme' | 'hash'> } = {
  '1.2.840.113549.1.1.5': { scheme: 'rsassa', hash: 'sha1' },
  '1.2.840.113549.1.1.11': { scheme: 'rsassa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { scheme: 'rsassa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { scheme: 'rsassa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { scheme: 'ecdsa', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { scheme: 'ecdsa', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { scheme: 'ecdsa', hash: 'sha512' },
};

function agreed(check: SignatureCheck): boolean {
  const answer = nobleAttestCrypto.verify(check);
  expect(answer).toBe(nodeAttestCrypto.verify(check));
  const signature = check.signature.map((byte, index) => (index === check.signature.length >> 1 ? byte ^ 0x40 : byte));
  expect(nobleAttestCrypto.verify({ ...check, signature })).toBe(false);
  return answer;
}

describe.skipIf(!present)(`real certificates${skipped}`, () => {
  const certificates = files.filter((name) => /\.(pem|cer|der|crt)$/.test(name)).flatMap(readCertificates);

  it('under each possible issuer, both give the same answer', () => {
    const kinds = new Set<string>();
    let valid = 0;
    for (const certificate of certificates) {
      for (const issuer of certificates.filter((each) => each.subject === certificate.issuer)) {
        const check = signatureUnder(certificate.parsed, issuer.spki);
        if (check === null || !agreed(check)) continue;
        valid += 1;
        kinds.add(`${check.scheme} ${check.hash}`);
      }
    }
    expect(valid).toBeGreaterThan(100);
    expect([...kinds].sort()).toEqual(
      expect.arrayContaining(['ecdsa sha256', 'ecdsa sha384', 'rsassa sha1', 'rsassa sha256', 'rsassa sha384']),
    );
  });
});

describe.skipIf(!present)(`real quotes${skipped}`, () => {
  const quotes = files
    .filter((name) => name.endsWith('.ak.tpmt_public.bin'))
    .map((name) => name.slice(0, -'.ak.tpmt_public.bin'.length))
    .filter((stem) => files.includes(`${stem}.quote.tpms_attest.bin`));

  it.each(quotes)('%s', (stem) => {
    const ak = decode(tpmtPublic, bytesOf(`${stem}.ak.tpmt_public.bin`));
    const signature = decode(tpmtSignature, bytesOf(`${stem}.quote.tpmt_signature.bin`));
    const check: SignatureCheck = {
      key: { kind: 'spki', der: subjectPublicKeyInfo(ak) },
      scheme: signature.algorithm,
      hash: signature.hash as SignatureCheck['hash'],
      data: bytesOf(`${stem}.quote.tpms_attest.bin`),
      signature: rawSignature(signature, ak),
    };
    expect(agreed(check)).toBe(true);
  });
});

const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));

/** Certificates of a file that OpenSSL and the ASN.1 library can both read; the folder also holds broken ones. */
function readCertificates(name: string) {
  const bytes = bytesOf(name);
  const text = new TextDecoder('latin1').decode(bytes);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return (name.endsWith('.pem') || blocks.length > 0 ? blocks : [Buffer.from(bytes)]).flatMap((block) => {
    try {
      const { raw } = new X509Certificate(block);
      const parsed = AsnConvert.parse(raw, Certificate);
      const { subject, issuer, subjectPublicKeyInfo: key } = parsed.tbsCertificate;
      const hex = (part: unknown): string => toHex(new Uint8Array(AsnConvert.serialize(part)));
      return [{ parsed, subject: hex(subject), issuer: hex(issuer), spki: new Uint8Array(AsnConvert.serialize(key)) }];
    } catch {
      return [];
    }
  });
}

function signatureUnder(parsed: Certificate, spki: Uint8Array): SignatureCheck | null {
  const algorithm = ALGORITHMS[parsed.signatureAlgorithm.algorithm];
  if (algorithm === undefined || parsed.tbsCertificateRaw === undefined) return null;
  const der = new Uint8Array(parsed.signatureValue);
  const signature = algorithm.scheme === 'ecdsa' ? rawEcdsa(der, spki) : der;
  if (signature === null) return null;
  return { key: { kind: 'spki', der: spki }, ...algorithm, data: new Uint8Array(parsed.tbsCertificateRaw), signature };
}

/** Ecdsa-Sig-Value to r and s at the width of the signer's curve. */
function rawEcdsa(der: Uint8Array, spki: Uint8Array): Uint8Array | null {
  let key: ReturnType<typeof readPublicKeyInfo>;
  try {
    key = readPublicKeyInfo(spki);
  } catch {
    return null;
  }
  if (key.kind !== 'ec') return null;
  const width = 2 * CURVE_BYTES[key.curve];
  const [, r = '', s = ''] = /^30(?:81)?..02(..)(.*)$/.exec(toHex(der)) ?? [];
  const rDigits = 2 * Number.parseInt(r, 16);
  const [first, second] = [s.slice(0, rDigits), s.slice(rDigits + 4)];
  const plain = (number: string): string => number.replace(/^0+/, '').padStart(width, '0');
  return fromHex(plain(first) + plain(second));
}
