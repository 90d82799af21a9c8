/** What the operator hands over in files: the releases he accepts and the TPM certificate authorities he trusts. */
import { readFile } from 'node:fs/promises';
import { parseCertificate } from '../attest/certificate.ts';
import { nodeAttestCrypto } from '../attest/crypto-node.ts';
import type { TpmClass } from '../attest/evidence.ts';
import { requireConsistent } from '../attest/prepared-reference.ts';
import type { ReferenceValues } from '../attest/reference-values.ts';
import { parseReferenceValues } from '../attest/reference-values.ts';
import { readPemOrDer } from '../shared/pem.ts';
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
    const anchors = readPemOrDer(new Uint8Array(await readFile(file)), 'CERTIFICATE');
    for (const anchor of anchors) parseCertificate(anchor);
    return anchors;
  } catch (cause) {
    throw new StartError('TRUST_UNREADABLE', `${file} holds no certificates`, {
      cause,
      nextStep: 'give a PEM file with one or more certificates of TPM makers',
    });
  }
}
