/** What the operator hands over in files: the releases he accepts and the TPM certificate authorities he trusts. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { nodeAttestCrypto } from '../attest/crypto-node.ts';
import type { TpmClass } from '../attest/evidence.ts';
import { requireConsistent } from '../attest/own-chain.ts';
import type { ReferenceValues } from '../attest/reference-values.ts';
import { parseReferenceValues } from '../attest/reference-values.ts';
import { StartError } from './errors.ts';

/** @throws StartError REFERENCE_MISSING | REFERENCE_UNREADABLE */
export async function readReferenceValues(files: readonly string[]): Promise<[ReferenceValues, ...ReferenceValues[]]> {
  const [first, ...rest] = await Promise.all(files.map(readOne));
  if (first !== undefined) return [first, ...rest];
  throw new StartError('REFERENCE_MISSING', 'the broker knows no image it could accept', {
    nextStep: 'give what the image build printed about itself: --reference dist/reference-values.json',
  });
}

async function readOne(file: string): Promise<ReferenceValues> {
  try {
    const reference = parseReferenceValues(await readFile(file));
    requireConsistent(reference, nodeAttestCrypto);
    return reference;
  } catch (cause) {
    throw new StartError('REFERENCE_UNREADABLE', `${file} holds no usable reference values`, {
      cause,
      nextStep: 'build the image (cpushare image build) and give its dist/reference-values.json',
    });
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * Certificates as DER. None at all is right only where TPMs of class `unknown` are accepted by name: otherwise every
 * machine would be refused. @throws StartError TRUST_MISSING | TRUST_UNREADABLE
 */
export async function readTrustAnchors(
  files: readonly string[],
  acceptedClasses: readonly TpmClass[],
): Promise<readonly Uint8Array[]> {
  const anchors = (await Promise.all(files.map(readCertificates))).flat();
  if (anchors.length > 0 || acceptedClasses.includes('unknown')) return anchors;
  throw new StartError(
    'TRUST_MISSING',
    'the broker trusts no TPM certificate authority, so it would refuse every TPM',
    {
      nextStep:
        'give the authorities as PEM: --trust FILE.pem; or accept any TPM on its own word: --accept-class unknown',
    },
  );
}

async function readCertificates(file: string): Promise<Uint8Array[]> {
  try {
    const blocks = (await readFile(file, 'utf8')).match(PEM_CERTIFICATE) ?? [];
    if (blocks.length === 0) throw new Error('no "BEGIN CERTIFICATE" block in it');
    return blocks.map((pem) => new Uint8Array(new X509Certificate(pem).raw));
  } catch (cause) {
    throw new StartError('TRUST_UNREADABLE', `${file} holds no certificates`, {
      cause,
      nextStep: 'give a PEM file with one or more certificates of TPM makers',
    });
  }
}
