/** MakeCredential against known answers and bad keys; real TPMs open its results in attester.integration.test.ts. */
import { describe, expect, it } from 'vitest';
import { decode, encode } from './codec.ts';
import { tpm2bEncryptedSecret, tpm2bIdObject } from './credential.ts';
import { nodeCrypto } from './crypto-node.ts';
import { protect } from './make-credential.ts';
import { makeCredential } from './make-credential-node.ts';
import { type EccPublic, eccPoint, tpm2bPublic, tpmtPublic } from './public-area.ts';
import { akTemplate, EK_TEMPLATES } from './templates.ts';
import { haveVectors, hex, toHex, vector, vectorsNote } from './testing/vectors.ts';

const AK_NAME = hex(`000b${'ab'.repeat(32)}`);
const SECRET = hex('5ec3e7');
/** The generator of P-256: a point on the curve that everybody can look up (SEC 2 §2.4.2). */
const G = {
  x: hex('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'),
  y: hex('4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'),
};
const ecc = (change: Partial<EccPublic>) =>
  encode(tpmtPublic, { ...EK_TEMPLATES.ecc, unique: G, ...change } as EccPublic);

const SECRET_KEY = {
  type: 'keyedHash',
  nameAlg: 'sha256',
  attributes: EK_TEMPLATES.ecc.attributes,
  authPolicy: hex(''),
  scheme: { algorithm: 'null' },
  unique: hex(''),
} as const;

describe.skipIf(!haveVectors)(`known answers${vectorsNote}`, () => {
  it('gives the credential that Keylime computes for the same seed', () => {
    const text = new TextDecoder().decode(vector('keylime_keylime/makecredential-vectors.source.txt'));
    const lines = text.split('\n').filter((line) => /^[0-9a-f]+$/.test(line));
    const at = lines.findIndex((line) => line.startsWith('013a0001'));
    const end = lines.findIndex((line) => line.startsWith('badcc0de'));
    const start = hex(lines.slice(at, end).join(''));
    const ek = decode(tpm2bPublic, start.subarray(0, 316));
    const name = start.subarray(-34);
    const secret = start.subarray(316, -34);
    const expected = hex(lines.slice(end).join('')).subarray(8, 8 + 2 + 0x44);
    if (ek.type !== 'rsa') throw new Error('the vector is an RSA key');
    const blob = protect(nodeCrypto, ek, 'sha256', new Uint8Array(32).fill(0x12), { akName: name, secret });
    expect(toHex(blob)).toBe(toHex(expected));
  });

  it('reads the credential of a recorded activation', () => {
    const file = vector('keylime_keylime/test-data-files/mkcred.out').subarray(8);
    const blobLength = 2 + 256 * (file[0] ?? 0) + (file[1] ?? 0);
    expect(decode(tpm2bIdObject, file.subarray(0, blobLength)).integrityHmac).toHaveLength(32);
    expect(decode(tpm2bEncryptedSecret, file.subarray(blobLength))).toHaveLength(256);
  });
});

describe('makeCredential', () => {
  it('is fresh every time, and shaped as the TPM wants it', () => {
    const request = { ekPublic: ecc({}), akName: AK_NAME, secret: SECRET };
    const [first, second] = [makeCredential(request), makeCredential(request)];
    expect(toHex(first.encryptedSecret)).not.toBe(toHex(second.encryptedSecret));
    const point = decode(eccPoint, decode(tpm2bEncryptedSecret, first.encryptedSecret));
    expect(point).toMatchObject({ x: expect.any(Uint8Array), y: expect.any(Uint8Array) });
    expect(decode(tpm2bIdObject, first.credentialBlob).encryptedIdentity).toHaveLength(2 + SECRET.length);
  });

  it.each([
    { name: 'a point beside the curve', ek: ecc({ unique: { x: G.x, y: G.x } }), text: 'not a point on its curve' },
    { name: 'the point at nowhere', ek: ecc({ unique: { x: hex(''), y: hex('') } }), text: 'not a point on its curve' },
    { name: 'another curve', ek: ecc({ curve: 'bn256' }), text: 'a key on curve bn256' },
    { name: 'no symmetric cipher', ek: ecc({ symmetric: { algorithm: 'null' } }), text: 'AES in CFB mode is needed' },
    { name: 'no asymmetric key', ek: encode(tpmtPublic, SECRET_KEY), text: 'a key of type keyedHash' },
    { name: 'a SHA-1 name', ek: ecc({ nameAlg: 'sha1' }), text: 'a key whose nameAlg is sha1' },
    { name: 'a template instead of a key', ek: encode(tpmtPublic, EK_TEMPLATES.rsaHigh), text: 'a modulus of 0 bytes' },
    {
      name: 'a signing key',
      ek: encode(tpmtPublic, { ...akTemplate('ecc', 'x'), unique: G } as EccPublic),
      text: 'AES in CFB',
    },
  ])('refuses $name', ({ ek, text }) => {
    const make = () => makeCredential({ ekPublic: ek, akName: AK_NAME, secret: SECRET });
    expect(make).toThrow(expect.objectContaining({ name: 'TpmKeyError', message: expect.stringContaining(text) }));
  });

  it('refuses a secret longer than the digest', () => {
    const make = () => makeCredential({ ekPublic: ecc({}), akName: AK_NAME, secret: new Uint8Array(33) });
    expect(make).toThrow('a secret of 33 bytes; this EK takes 32');
  });
});
