/** `attest verify --ear FILE --key PEM`: signs the verdict as an attestation result and writes it, whole or not at all. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { JWK } from 'jose';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import type { Expected } from '../../attest/expected.ts';
import { type EarContext, earClaims } from '../../attest/result/ear.ts';
import { keyIdOf, signEar } from '../../attest/result/ear-jose.ts';
import { policyId, referenceId } from '../../attest/result/ear-policy-id.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { encodeEvidence } from '../../protocol/evidence-document.ts';
import type { Report } from '../../protocol/report-document.ts';
import { toHex } from '../../shared/bytes.ts';
import { CodedError } from '../../shared/errors.ts';
import { read } from './files.ts';

export class WriteEarError extends CodedError<'EAR_SIGNING_KEY_BAD' | 'EAR_UNWRITABLE'> {}

/** As long as a broker's: a machine is judged anew within that time. */
const LIFETIME_MS = 1_200_000;

export interface EarOutput {
  /** Where the JWT goes. */
  readonly path: string;
  /** PEM with a P-256 private key. */
  readonly keyPath: string;
  /** Version of this program. */
  readonly version: string;
  /** Whether the result carries the evidence document (JSON) along. */
  readonly withEvidence: boolean;
}

export async function writeEar(verdict: Verdict, report: Report, expected: Expected, output: EarOutput): Promise<void> {
  const privateKey = await readSigningKey(output.keyPath);
  const referenceIds = expected.referenceValues.map((values) => referenceId(values, nodeAttestCrypto));
  const claims = earClaims(verdict, {
    verifier: { developer: 'cpushare-live', build: `cpushare ${output.version}` },
    issuedAt: expected.time,
    expiresAt: new Date(expected.time.getTime() + LIFETIME_MS),
    challenge: expected.challenge,
    machineId: report.machineId,
    referenceIds,
    policyId: policyId(expected.policy, referenceIds, nodeAttestCrypto),
    sessionKeySha256: toHex(nodeAttestCrypto.hash('sha256', report.evidence.sessionPublicKey)),
    ...(output.withEvidence ? { rawEvidence: rawEvidenceOf(report) } : {}),
  });
  const keyId = await keyIdOf(createPublicKey(privateKey).export({ format: 'jwk' }) as JWK);
  await writeWhole(output.path, `${await signEar(claims, { privateKey, keyId })}\n`);
}

function rawEvidenceOf({ evidence }: Report): NonNullable<EarContext['rawEvidence']> {
  const content = new TextEncoder().encode(JSON.stringify(encodeEvidence(evidence)));
  return { mediaType: 'application/json', content };
}

async function readSigningKey(path: string): Promise<KeyObject> {
  const pem = new TextDecoder().decode(await read(path));
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('the key is not a P-256 key');
    return key;
  } catch (cause) {
    throw new WriteEarError('EAR_SIGNING_KEY_BAD', `${path} holds no private key that can sign a result`, {
      cause,
      nextStep: 'make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem',
    });
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new WriteEarError('EAR_UNWRITABLE', `the result cannot be written to ${path}`, {
      cause,
      nextStep: 'name a file in a folder that is there and that you may write to',
    });
  }
}
