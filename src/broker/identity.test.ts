import { createHash, generateKeyPairSync, randomBytes, verify, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate } from '@peculiar/asn1-x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concatBytes, fromBase64 } from '../shared/bytes.ts';
import { selfSignedCertificate } from './certificate.ts';
import { newIdentityPem, openIdentity, parseIdentity } from './identity.ts';
import { signActivation } from './transcript.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-identity-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the identity file', () => {
  it('is made once, private, and read back the same', async () => {
    const first = await openIdentity(folder);
    const second = await openIdentity(folder);
    expect(second.brokerId).toBe(first.brokerId);
    expect(await readdir(folder)).toEqual(['broker-identity.pem']);
    expect((await stat(join(folder, 'broker-identity.pem'))).mode & 0o777).toBe(0o600);
    expect(first.brokerId).toBe(createHash('sha256').update(first.publicKey).digest('hex'));
  });

  it('is one identity even when two starts race', async () => {
    const identities = await Promise.all([1, 2, 3, 4, 5].map(() => openIdentity(folder)));
    expect(new Set(identities.map((identity) => identity.brokerId)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['broker-identity.pem']);
  });

  it.each([
    { name: 'empty', text: () => '' },
    { name: 'cut short', text: () => newIdentityPem().slice(0, 300) },
    { name: 'key without certificate', text: () => newIdentityPem().split('-----BEGIN CERTIFICATE')[0] ?? '' },
    { name: 'a mixed pair', text: () => mixedPair() },
    { name: 'an RSA key', text: () => rsaPem() },
  ])('is refused when $name, and left as it is', async ({ text }) => {
    const path = join(folder, 'broker-identity.pem');
    const before = text();
    await writeFile(path, before);
    await expect(openIdentity(folder)).rejects.toMatchObject({ code: 'IDENTITY_BAD' });
    expect(await readFile(path, 'utf8')).toBe(before);
  });
});

describe('the certificate', () => {
  it('is a v3 leaf that verifies with its own key, whatever the serial bytes are', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const serialNumber of [new Uint8Array(16), new Uint8Array(16).fill(0xff), randomBytes(16)]) {
      const der = selfSignedCertificate({ commonName: 'cpushare-broker', publicKey, privateKey, serialNumber });
      const certificate = new X509Certificate(der);
      expect(certificate.verify(publicKey)).toBe(true);
      expect(certificate.ca).toBe(false);
      expect(certificate.subject).toBe('CN=cpushare-broker');
      expect(certificate.subjectAltName).toBe('DNS:cpushare-broker');
      expect(certificate.validTo).toBe('Dec 31 23:59:59 9999 GMT');
      expect(BigInt(`0x${certificate.serialNumber}`) > 0n).toBe(true);
      expect(new Uint8Array(AsnConvert.serialize(AsnConvert.parse(der, Certificate)))).toEqual(der);
    }
  });
});

describe('the activation transcript', () => {
  const identity = parseIdentity(newIdentityPem(), 'memory');
  const facts = { ekName: '000baa', akName: '000bbb', activatedAt: '2026-01-02T03:04:05.000Z' };

  it('verifies over the domain and the statement, and over nothing else', () => {
    const transcript = signActivation(facts, identity);
    const statement = fromBase64(transcript.statement);
    const signature = fromBase64(transcript.signature);
    const key = { key: Buffer.from(fromBase64(transcript.brokerPublicKey)), format: 'der', type: 'spki' } as const;
    const checks = (data: Uint8Array) => verify('sha256', data, { ...key, dsaEncoding: 'ieee-p1363' }, signature);
    const domain = new TextEncoder().encode('cpushare-live/activation\0');
    expect(JSON.parse(new TextDecoder().decode(statement))).toEqual(facts);
    expect(signature).toHaveLength(64);
    expect(checks(concatBytes(domain, statement))).toBe(true);
    expect(checks(statement)).toBe(false);
  });
});

function mixedPair(): string {
  const key = newIdentityPem().split('-----BEGIN CERTIFICATE')[0] ?? '';
  const certificate = newIdentityPem().split('-----BEGIN CERTIFICATE')[1] ?? '';
  return `${key}-----BEGIN CERTIFICATE${certificate}`;
}

function rsaPem(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return `${privateKey.export({ type: 'pkcs8', format: 'pem' })}-----BEGIN CERTIFICATE${newIdentityPem().split('-----BEGIN CERTIFICATE')[1]}`;
}
