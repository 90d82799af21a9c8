/** What the operator hands over in files: the releases he accepts and the TPM certificate authorities he trusts. */
import { readFile } from 'node:fs/promises';
import { nodeAttestCrypto } from '../attest/crypto/crypto-node.ts';
import { parseCertificate } from '../attest/endorsement/certificate.ts';
import type { TpmClass } from '../attest/evidence.ts';
import type { Standing } from '../attest/expected.ts';
import { requireConsistent } from '../attest/image/prepared-reference.ts';
import type { ReferenceValues } from '../attest/image/reference-values.ts';
import type { ReferenceTrust } from '../attest/image/signed-reference-values.ts';
import * as signed from '../attest/image/signed-reference-values.ts';
import type { Policy } from '../attest/policy/policy.ts';
import { readPemOrDer } from '../shared/pem.ts';
import { StartError } from './errors.ts';

/** @throws StartError REFERENCE_MISSING | REFERENCE_UNREADABLE */
export async function readReferenceValues(
  files: readonly string[],
  signers: ReferenceTrust,
): Promise<[ReferenceValues, ...ReferenceValues[]]> {
  const [first, ...rest] = await Promise.all(files.map((file) => readOne(file, signers)));
  if (first !== undefined) return [first, ...rest];
  throw new StartError('REFERENCE_MISSING', 'the broker knows no image it could accept', {
    nextStep: 'give what the image build printed about itself: --reference dist/reference-values.json',
  });
}

async function readOne(file: string, signers: ReferenceTrust): Promise<ReferenceValues> {
  try {
    const { values } = signed.readReferenceValues(new Uint8Array(await readFile(file)), signers, nodeAttestCrypto);
    requireConsistent(values, nodeAttestCrypto);
    return values;
  } catch (cause) {
    throw new StartError('REFERENCE_UNREADABLE', `${file} holds no usable reference values`, {
      cause,
      nextStep: 'build the image (cpushare image build) and give its dist/reference-values.json',
    });
  }
}

/** A challenge asks for one bank, so a policy that wants more would refuse every machine. @throws StartError */
export function requireServable(policy: Policy): Policy {
  if (policy.banks.every((bank) => bank === 'sha256')) return policy;
  throw new StartError('POLICY_UNUSABLE', `the policy wants the banks ${policy.banks.join(', ')}`, {
    nextStep: 'write "banks": ["sha256"]: a broker asks machines for that one',
  });
}

/** What EK certificates are judged with. */
export type TrustStanding = Pick<Standing, 'trustAnchors' | 'anchorClasses' | 'extraCertificates' | 'revocationLists'>;

/**
 * The certificates of the files beside what the operator's trust store holds. No anchor at all is right only where TPMs of
 * class `unknown` are accepted by name: otherwise every machine would be refused. @throws StartError TRUST_MISSING | TRUST_UNREADABLE
 */
export async function readTrust(
  files: readonly string[],
  store: TrustStanding | null,
  acceptedClasses: readonly TpmClass[],
): Promise<TrustStanding> {
  const named = (await Promise.all(files.map(readCertificates))).flat();
  const { trustAnchors, ...rest } = store ?? { trustAnchors: [], extraCertificates: [], revocationLists: [] };
  const anchors = [...named, ...trustAnchors];
  if (anchors.length > 0 || acceptedClasses.includes('unknown')) return { ...rest, trustAnchors: anchors };
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
