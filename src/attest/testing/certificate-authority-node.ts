/** A certificate authority for tests: real X.509 with the names and extensions of an EK certificate. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
} from '@peculiar/asn1-x509';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';

export interface Authority {
  readonly name: string;
  readonly certificate: Uint8Array;
  readonly privateKey: KeyObject;
}

export interface EkSubject {
  readonly manufacturer: string;
  readonly model: string;
  readonly usage?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export function newAuthority(name: string, issuer?: Authority): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = issue({
    issuer: issuer?.name ?? name,
    subject: name,
    publicKeyInfo: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    extensions: [extension('2.5.29.19', true, new BasicConstraints({ cA: true }))],
    signer: issuer?.privateKey ?? privateKey,
  });
  return { name, certificate, privateKey };
}

export function ekCertificate(authority: Authority, publicKeyInfo: Uint8Array, subject: EkSubject): Uint8Array {
  const directoryName = new Name([
    attribute('2.23.133.2.1', subject.manufacturer),
    attribute('2.23.133.2.2', subject.model),
    attribute('2.23.133.2.3', 'id:00000001'),
  ]);
  return issue({
    issuer: authority.name,
    subject: 'unknown',
    publicKeyInfo,
    extensions: [
      extension('2.5.29.37', false, new ExtendedKeyUsage([subject.usage ?? '2.23.133.8.1'])),
      extension('2.5.29.17', true, new SubjectAlternativeName([new GeneralName({ directoryName })])),
      extension('2.5.29.19', true, new BasicConstraints({ cA: false })),
    ],
    signer: authority.privateKey,
    ...(subject.notBefore === undefined ? {} : { notBefore: subject.notBefore }),
    ...(subject.notAfter === undefined ? {} : { notAfter: subject.notAfter }),
  });
}

function issue(request: {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKeyInfo: Uint8Array;
  readonly extensions: readonly Extension[];
  readonly signer: KeyObject;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}): Uint8Array {
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_SHA256 });
  const tbsCertificate = new TBSCertificate({
    version: 2,
    serialNumber: new Uint8Array([1]).buffer,
    signature: algorithm,
    issuer: commonName(request.issuer),
    subject: commonName(request.subject),
    validity: new Validity({
      notBefore: request.notBefore ?? new Date('2026-01-01T00:00:00Z'),
      notAfter: request.notAfter ?? new Date('9999-12-31T23:59:59Z'),
    }),
    subjectPublicKeyInfo: AsnConvert.parse(request.publicKeyInfo, SubjectPublicKeyInfo),
    extensions: new Extensions([...request.extensions]),
  });
  const signatureValue = sign('sha256', new Uint8Array(AsnConvert.serialize(tbsCertificate)), request.signer);
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: new Uint8Array(signatureValue).buffer,
  });
  return new Uint8Array(AsnConvert.serialize(certificate));
}

function extension(extnID: string, critical: boolean, value: unknown): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function commonName(name: string): Name {
  return new Name([attribute('2.5.4.3', name)]);
}

function attribute(type: string, value: string): RelativeDistinguishedName {
  return new RelativeDistinguishedName([
    new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: value }) }),
  ]);
}

/** SubjectPublicKeyInfo of a private key's public half. */
export function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
}
