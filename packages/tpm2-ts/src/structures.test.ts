/** Real structures decode, encode back to the same bytes, and fail when cut at any length or one byte too long. */
import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { tpmsAttest } from './attest.ts';
import { type Codec, decode, u32 } from './codec.ts';
import { tpmsCreationData } from './creation.ts';
import { tpm2bEncryptedSecret, tpm2bIdObject } from './credential.ts';
import { nodeDigest } from './digest-node.ts';
import { objectName, primaryQualifiedName, tpmName } from './name.ts';
import { tpm2bPublic, tpmtPublic } from './public-area.ts';
import { rawSignature, subjectPublicKeyInfo } from './public-key.ts';
import { tpmtSignature } from './signature.ts';
import { constant, struct } from './struct.ts';
import { strict } from './testing/strict.ts';
import { haveVectors, toHex, vector, vectorsNote } from './testing/vectors.ts';

const GCE = 'google_go-tpm-tools/gce-cos-85-nonce9009.sha256';
const WINDOWS = 'google_go-attestation/windows_gcp_shielded_vm';
const KEYLIME = 'keylime_keylime/test-data-files';
const OURS = 'debian13-qemu-cd';

/** The file of tpm2_makecredential: a magic and a version of tpm2-tools, then both results of MakeCredential. */
const tpm2ToolsCredential = struct({
  magic: constant(u32, 0xbadc_c0de),
  version: constant(u32, 1),
  credentialBlob: tpm2bIdObject,
  encryptedSecret: tpm2bEncryptedSecret,
});

interface Row {
  readonly file: string;
  readonly codec: Codec<unknown>;
}
const quoted = (base: string): readonly Row[] => [
  { file: `${base}.quote.tpms_attest.bin`, codec: tpmsAttest },
  { file: `${base}.quote.tpmt_signature.bin`, codec: tpmtSignature },
];
const GCE_ALL = ['no-nonce', 'nonce9009'].flatMap((nonce) =>
  ['sha1', 'sha256', 'sha384'].map((bank) => `google_go-tpm-tools/gce-cos-85-${nonce}.${bank}`),
);
const good: readonly Row[] = [
  ...GCE_ALL.flatMap((base) => [...quoted(base), { file: `${base}.ak.tpmt_public.bin`, codec: tpmtPublic }]),
  ...quoted(WINDOWS),
  { file: `${WINDOWS}.ak.tpmt_public.bin`, codec: tpmtPublic },
  { file: `${WINDOWS}.ak.CreateAttestation.bin`, codec: tpmsAttest },
  { file: `${WINDOWS}.ak.CreateSignature.bin`, codec: tpmtSignature },
  { file: `${WINDOWS}.ak.CreateData.bin`, codec: tpmsCreationData },
  ...quoted('keylime_keylime/checkquote-vector'),
  ...quoted(`${KEYLIME}/quote`),
  { file: `${KEYLIME}/ek.pub`, codec: tpm2bPublic },
  { file: `${KEYLIME}/ak.pub`, codec: tpm2bPublic },
  { file: `${KEYLIME}/ak.name`, codec: tpmName },
  { file: `${KEYLIME}/mkcred.out`, codec: tpm2ToolsCredential },
  { file: `${KEYLIME}/quote.out`, codec: tpmsAttest },
  { file: `${KEYLIME}/quotesig.out`, codec: tpmtSignature },
  { file: `${OURS}/quote.tpms_attest.bin`, codec: tpmsAttest },
  { file: `${OURS}/quote.tpmt_signature.bin`, codec: tpmtSignature },
];

describe.skipIf(!haveVectors)(`real structures${vectorsNote}`, () => {
  it.each(good)('$file: reads, writes the same bytes, and is refused when cut or longer', ({ file, codec }) => {
    strict(codec, vector(file));
  });

  it('decodes a quote into names and numbers', () => {
    expect(decode(tpmsAttest, vector(`${OURS}/quote.tpms_attest.bin`))).toMatchObject({
      type: 'quote',
      extraData: new Uint8Array(Buffer.from('00112233445566778899aabbccddeeff', 'hex')),
      clockInfo: { safe: true },
      pcrSelect: [{ hash: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14] }],
    });
  });

  it('names the field and the byte of a cut', () => {
    const bytes = vector(`${OURS}/quote.tpms_attest.bin`);
    expect(() => decode(tpmsAttest, bytes.subarray(0, bytes.length - 1))).toThrow(
      `quote.pcrDigest at byte ${bytes.length - 32}: needs 32 bytes, 31 left`,
    );
  });

  it.each([
    { name: 'GCE, RSA', quote: GCE, key: `${GCE}.ak.tpmt_public.bin` },
    { name: 'Windows, RSA', quote: WINDOWS, key: `${WINDOWS}.ak.tpmt_public.bin` },
  ])('$name: the quote verifies under the SubjectPublicKeyInfo of its AK', ({ quote, key: keyFile }) => {
    const key = decode(tpmtPublic, vector(keyFile));
    const signature = decode(tpmtSignature, vector(`${quote}.quote.tpmt_signature.bin`));
    const publicKey = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo(key)), format: 'der', type: 'spki' });
    const signed = vector(`${quote}.quote.tpms_attest.bin`);
    const raw = rawSignature(signature, key);
    expect(verify(signature.hash, signed, publicKey, raw)).toBe(true);
    signed[signed.length - 1] = (signed[signed.length - 1] ?? 0) ^ 1;
    expect(verify(signature.hash, signed, publicKey, raw)).toBe(false);
  });

  it('computes the name that tpm2-tools stored beside the key', () => {
    const publicArea = vector(`${KEYLIME}/ak.pub`).subarray(2);
    expect(toHex(objectName(publicArea, nodeDigest))).toBe(toHex(vector(`${KEYLIME}/ak.name`)));
    expect(primaryQualifiedName(publicArea, nodeDigest)).toHaveLength(34);
  });

  it('the creation data hash to what the attestation of the creation says, for this key', () => {
    const attestation = decode(tpmsAttest, vector(`${WINDOWS}.ak.CreateAttestation.bin`));
    expect(attestation).toMatchObject({
      type: 'creation',
      objectName: objectName(vector(`${WINDOWS}.ak.tpmt_public.bin`), nodeDigest),
      creationHash: nodeDigest('sha256', vector(`${WINDOWS}.ak.CreateData.bin`)),
    });
  });

  describe.each(Array.from({ length: 8 }, (_, i) => `webauthn-tpm-0${i + 1}`))('%s', (file) => {
    const statement = () =>
      webauthnStatement(Buffer.from(vector(`MasterKale_SimpleWebAuthn/${file}.attestationObject.cbor`)));

    it('holds a CERTIFY of its key, not a quote', () => {
      const { certInfo, pubArea } = statement();
      expect(decode(tpmsAttest, certInfo)).toMatchObject({ type: 'certify', name: objectName(pubArea, nodeDigest) });
      const key = decode(tpmtPublic, pubArea);
      if (key.type === 'rsa') expect(key.keyBits).toBe(8 * key.unique.length);
    });

    it('reads, writes the same bytes, and is refused when cut at any length or one byte longer', () => {
      const { certInfo, pubArea } = statement();
      strict(tpmsAttest, certInfo);
      strict(tpmtPublic, pubArea);
    });
  });
});

/** The two TPM byte strings of an attestation statement; CBOR byte strings of 24–65535 bytes after their text keys. */
function webauthnStatement(cbor: Buffer): { certInfo: Uint8Array; pubArea: Uint8Array } {
  const field = (name: string) => {
    const at = cbor.indexOf(name) + name.length;
    const [start, size] = cbor[at] === 0x58 ? [at + 2, cbor.readUInt8(at + 1)] : [at + 3, cbor.readUInt16BE(at + 1)];
    return new Uint8Array(cbor.subarray(start, start + size));
  };
  return { certInfo: field('certInfo'), pubArea: field('pubArea') };
}
