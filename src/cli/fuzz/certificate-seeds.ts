/** Certificates of our recordings and of real vendors, where those are at hand. */
import { newKey, writeRevocationList } from '../../attest/testing/certificate-writer-node.ts';
import { commonName, der, extension, integer } from '../../attest/testing/der-writer.ts';
import { readPemOrDer } from '../../shared/pem.ts';
import { filesEnding, recording } from './seeds.ts';

export function certificateSeeds(): readonly Uint8Array[] {
  const ours = (['p256', 'rsa2048'] as const).flatMap((name) => {
    const { report, anchors } = recording(name);
    return [...report.evidence.ekCertificates, ...anchors];
  });
  const others = filesEnding('.der', '.crt', '.cer', '.pem').flatMap((bytes) => blocks(bytes, 'CERTIFICATE'));
  return [...ours, ...others].filter((bytes) => bytes.length < 6000);
}

export function revocationListSeeds(): readonly Uint8Array[] {
  const signer = { key: newKey(), name: commonName('CA') };
  const entryExtensions = [extension('2.5.29.21', der(0x0a, Uint8Array.of(1)))];
  const revoked = [integer(1), integer(0x0a, 0xff)];
  const lists = [
    writeRevocationList({ signer }),
    writeRevocationList({ signer, revoked, entryExtensions, extensions: [extension('2.5.29.20', integer(7))] }),
  ];
  return [...lists, ...filesEnding('.crl').flatMap((bytes) => blocks(bytes, 'X509 CRL'))].filter(
    (bytes) => bytes.length < 20_000,
  );
}

function blocks(bytes: Uint8Array, label: 'CERTIFICATE' | 'X509 CRL'): readonly Uint8Array[] {
  try {
    return readPemOrDer(bytes, label);
  } catch {
    return []; // keys and the like
  }
}
