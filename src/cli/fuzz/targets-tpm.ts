/** Every TPM structure that is read: refused, or read exactly as it would be written. */
import { type TpmsAttest, tpm2bAttest, tpmsAttest } from 'tpm2-ts/attest';
import { capabilityData } from 'tpm2-ts/capability';
import { type Codec, decode, encode } from 'tpm2-ts/codec';
import { tpm2bCreationData, tpmsCreationData } from 'tpm2-ts/creation';
import { tpm2bIdObject } from 'tpm2-ts/credential';
import { digestList, digestValues } from 'tpm2-ts/digest-list';
import { tpmName } from 'tpm2-ts/name';
import { tpmsNvPublic } from 'tpm2-ts/nv';
import { pcrSelections } from 'tpm2-ts/pcr-selection';
import { tpm2bPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { subjectPublicKeyInfo } from 'tpm2-ts/public-key';
import { tpmtAnySignature, tpmtSignature } from 'tpm2-ts/signature';
import { EK_TEMPLATES } from 'tpm2-ts/templates';
import { concatBytes, equalBytes, fromHex } from '../../shared/bytes.ts';
import { filesEnding, recording } from './seeds.ts';
import { BrokenRule, type Target } from './target.ts';

const digest = new Uint8Array(32).fill(1);
const evidences = ['p256', 'rsa2048'].map((name) => recording(name as 'p256').report.evidence);
const sized = (bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
const publics = [
  ...evidences.flatMap(({ akPublic, ekPublic }) => [akPublic, ekPublic]),
  ...Object.values(EK_TEMPLATES).map((template) => encode(tpmtPublic, template)),
  ...filesEnding('.tpmt_public.bin'),
];
const attests = [
  ...evidences.map(({ quote }) => quote),
  ...otherStatements(),
  ...filesEnding('tpms_attest.bin', '.CreateAttestation.bin'),
];
const signatures = [
  ...evidences.map(({ signature }) => signature),
  ...filesEnding('tpmt_signature.bin', '.CreateSignature.bin'),
];
const creations = [
  encode(tpmsCreationData, {
    pcrSelect: [{ hash: 'sha256', pcrs: [0] }],
    pcrDigest: digest,
    locality: 1,
    parentNameAlg: 'null',
    parentName: fromHex('4000000b'),
    parentQualifiedName: fromHex('4000000b'),
    outsideInfo: new Uint8Array(),
  }),
  ...filesEnding('.CreateData.bin'),
];

export function tpmTargets(): readonly Target[] {
  return [
    structure('tpms-attest', tpmsAttest, attests),
    structure('tpm2b-attest', tpm2bAttest, attests.map(sized)),
    structure('tpmt-signature', tpmtSignature, signatures),
    structure('tpmt-any-signature', tpmtAnySignature, signatures),
    structure('tpmt-public', tpmtPublic, publics, (area) => subjectPublicKeyInfo(area)),
    structure('tpm2b-public', tpm2bPublic, publics.map(sized)),
    structure('tpml-pcr-selection', pcrSelections, [encode(pcrSelections, [{ hash: 'sha256', pcrs: [0, 7, 23] }])]),
    structure('tpml-digest', digestList, [encode(digestList, [digest, digest])]),
    structure('tpml-digest-values', digestValues, [encode(digestValues, [{ hash: 'sha256', digest }])]),
    structure('tpm2b-id-object', tpm2bIdObject, [
      encode(tpm2bIdObject, { integrityHmac: digest, encryptedIdentity: digest }),
    ]),
    structure('tpms-creation-data', tpmsCreationData, creations),
    structure('tpm2b-creation-data', tpm2bCreationData, creations.map(sized)),
    structure('tpms-nv-public', tpmsNvPublic, [fromHex('01c00002000b62072002000003a8').slice(0, 14)]),
    structure('tpms-capability-data', capabilityData, [fromHex('0000000600000001000001050000494d')]),
    structure('tpm-name', tpmName, [fromHex(`000b${'ab'.repeat(32)}`), fromHex('40000001')]),
  ];
}

function structure<T>(
  name: string,
  codec: Codec<T>,
  seeds: readonly Uint8Array[],
  use: (value: T) => unknown = () => undefined,
): Target {
  return {
    name,
    shape: 'bytes',
    seeds: seeds.length > 0 ? seeds : [new Uint8Array(16)],
    maxBytes: 4096,
    baseMs: 5,
    run: (input) => {
      const value = decode(codec, input);
      if (!equalBytes(encode(codec, value), input))
        throw new BrokenRule(`${name} is written otherwise than it was read`);
      use(value);
    },
  };
}

function otherStatements(): readonly Uint8Array[] {
  const quote = decode(tpmsAttest, evidences[0]?.quote ?? new Uint8Array());
  const { qualifiedSigner, extraData, clockInfo, firmwareVersion } = quote;
  const head = { qualifiedSigner, extraData, clockInfo, firmwareVersion };
  const statements: readonly TpmsAttest[] = [
    { ...head, type: 'certify', name: qualifiedSigner, qualifiedName: qualifiedSigner },
    { ...head, type: 'creation', objectName: qualifiedSigner, creationHash: digest },
    { ...head, type: 'time', time: { time: 1n, clockInfo }, timeFirmwareVersion: 1n },
    { ...head, type: 'nv', indexName: qualifiedSigner, offset: 0, nvContents: digest },
  ];
  return statements.map((statement) => encode(tpmsAttest, statement));
}
