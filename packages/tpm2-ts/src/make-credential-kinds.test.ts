/** MakeCredential for every size of EK, opened by the steps of ActivateCredential (Part 1 §24) written out on Node's own keys. */
import {
  constants,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  generateKeyPairSync,
  privateDecrypt,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decode, encode } from './codec.ts';
import { tpm2bEncryptedSecret, tpm2bIdObject } from './credential.ts';
import { type Credential, makeCredential } from './make-credential-node.ts';
import { eccPoint, type TpmtPublic, tpmtPublic } from './public-area.ts';
import { EK_TEMPLATES } from './templates.ts';
import { hex, toHex } from './testing/vectors.ts';

const SECRET = hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const AK_NAME = hex(`000b${'ab'.repeat(32)}`);

interface Oracle {
  readonly ek: TpmtPublic;
  /** The seed that the encrypted secret holds. */
  unwrap(encryptedSecret: Uint8Array): Buffer;
}

function rsa(kind: 'rsa' | 'rsaHigh' | 'rsa3072High' | 'rsa4096High'): Oracle {
  const template = EK_TEMPLATES[kind];
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: template.keyBits });
  const unique = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url'));
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: template.nameAlg };
  return {
    ek: { ...template, unique },
    unwrap: (encrypted) =>
      privateDecrypt({ key: privateKey, ...padding, oaepLabel: Buffer.from('IDENTITY\0') }, encrypted),
  };
}

function ecc(kind: 'ecc' | 'eccHigh' | 'ecc384High' | 'ecc521High', name: string, bytes: number): Oracle {
  const template = EK_TEMPLATES[kind];
  const own = createECDH(name);
  const point = own.generateKeys();
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)];
  return {
    ek: { ...template, unique: { x: new Uint8Array(x), y: new Uint8Array(y) } },
    unwrap: (encrypted) => {
      const theirs = decode(eccPoint, encrypted);
      const z = own.computeSecret(Buffer.concat([Uint8Array.of(4), theirs.x, theirs.y]));
      // One block is enough: the seed is as long as one digest.
      const block = createHash(template.nameAlg)
        .update(Uint8Array.of(0, 0, 0, 1))
        .update(z);
      return block.update('IDENTITY\0').update(theirs.x).update(x).digest();
    },
  };
}

function open({ ek, unwrap }: Oracle, { credentialBlob, encryptedSecret }: Credential): Uint8Array {
  if (ek.type !== 'rsa' && ek.type !== 'ecc') throw new Error(ek.type);
  if (ek.symmetric.algorithm !== 'aes') throw new Error(ek.symmetric.algorithm);
  const { nameAlg, symmetric } = ek;
  const seed = unwrap(decode(tpm2bEncryptedSecret, encryptedSecret));
  const { integrityHmac, encryptedIdentity } = decode(tpm2bIdObject, credentialBlob);
  const derive = (label: string, context: Uint8Array, bits: number) => {
    const count = Buffer.from([0, 0, 0, 1]);
    const length = Buffer.from([bits >> 24, bits >> 16, bits >> 8, bits]);
    const made = createHmac(nameAlg, seed).update(count).update(`${label}\0`).update(context).update(length).digest();
    return made.subarray(0, bits / 8);
  };
  const hmacKey = derive('INTEGRITY', new Uint8Array(), 8 * integrityHmac.length);
  const hmac = createHmac(nameAlg, hmacKey).update(encryptedIdentity).update(AK_NAME).digest();
  expect(toHex(integrityHmac)).toBe(hmac.toString('hex'));
  const key = derive('STORAGE', AK_NAME, symmetric.keyBits);
  const clear = createDecipheriv(`aes-${symmetric.keyBits}-cfb`, key, new Uint8Array(16)).update(encryptedIdentity);
  expect(clear.readUInt16BE(0)).toBe(clear.length - 2);
  return new Uint8Array(clear.subarray(2));
}

describe('makeCredential', () => {
  it.each([
    { name: 'L-1, RSA-2048', make: () => rsa('rsa') },
    { name: 'L-2, P-256', make: () => ecc('ecc', 'prime256v1', 32) },
    { name: 'H-1, RSA-2048', make: () => rsa('rsaHigh') },
    { name: 'H-2, P-256', make: () => ecc('eccHigh', 'prime256v1', 32) },
    { name: 'H-3, P-384', make: () => ecc('ecc384High', 'secp384r1', 48) },
    { name: 'H-4, P-521', make: () => ecc('ecc521High', 'secp521r1', 66) },
    { name: 'H-6, RSA-3072', make: () => rsa('rsa3072High') },
    { name: 'H-7, RSA-4096', make: () => rsa('rsa4096High') },
  ])(
    'for EK $name is opened by who holds its private key',
    ({ make }) => {
      const oracle = make();
      const ekPublic = encode(tpmtPublic, oracle.ek);
      for (let round = 0; round < 4; round += 1) {
        const opened = open(oracle, makeCredential({ ekPublic, akName: AK_NAME, secret: SECRET }));
        expect(toHex(opened)).toBe(toHex(SECRET));
      }
    },
    60_000,
  );
});
