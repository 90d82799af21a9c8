/**
 * MakeCredential in software (Part 1 §24, annexes B.10.4 and C.6.1): wraps a secret so that only the TPM that holds this
 * EK can open it, and only for the key with this Name. It is the verifier's proof that both live in one TPM.
 */
import {
  constants,
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { decode, encode, sized, u16 } from './codec.ts';
import { HASH_SIZES, type HashName } from './constants.ts';
import { tpm2bEncryptedSecret, tpm2bIdObject } from './credential.ts';
import { TpmKeyError } from './errors.ts';
import { digest, type EccPublic, eccPoint, type RsaPublic, tpmtPublic } from './public-area.ts';
import { subjectPublicKeyInfo } from './public-key.ts';

export interface Credential {
  /** TPM2B_ID_OBJECT, with its size. */
  readonly credentialBlob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET, with its size. */
  readonly encryptedSecret: Uint8Array;
}

export interface CredentialRequest {
  /** TPMT_PUBLIC of the EK. */
  readonly ekPublic: Uint8Array;
  /** Name of the AK. */
  readonly akName: Uint8Array;
  /** At most as long as the digest of the EK's nameAlg. */
  readonly secret: Uint8Array;
}

/** @throws TpmKeyError when the EK is no storage key of a supported kind, TpmCodecError when it is malformed */
export function makeCredential(request: CredentialRequest): Credential {
  const ek = decode(tpmtPublic, request.ekPublic, 'ekPublic');
  if (ek.type !== 'rsa' && ek.type !== 'ecc')
    throw new TpmKeyError(`an EK of type ${ek.type} cannot take a credential`);
  const hash = supportedHash(ek.nameAlg);
  const { seed, encryptedSecret } = ek.type === 'rsa' ? shareWithRsa(ek, hash) : shareWithEcc(ek, hash);
  return { credentialBlob: protect(ek, hash, seed, request), encryptedSecret };
}

/** The outer wrap, the same for both kinds of EK. Exported so that known seeds can be tested. */
export function protect(
  ek: RsaPublic | EccPublic,
  hash: HashName,
  seed: Uint8Array,
  { akName, secret }: Pick<CredentialRequest, 'akName' | 'secret'>,
): Uint8Array {
  if (secret.length > HASH_SIZES[hash]) {
    throw new TpmKeyError(`a secret of ${secret.length} bytes; this EK takes ${HASH_SIZES[hash]}`);
  }
  const { symmetric } = ek;
  if (symmetric.algorithm !== 'aes' || symmetric.mode !== 'cfb') {
    throw new TpmKeyError(`an EK whose symmetric algorithm is ${symmetric.algorithm}: AES in CFB mode is needed`);
  }
  const key = kdfA(hash, seed, 'STORAGE', akName, symmetric.keyBits);
  const cipher = createCipheriv(`aes-${symmetric.keyBits}-cfb`, key, new Uint8Array(16));
  const encryptedIdentity = new Uint8Array(cipher.update(encode(digest, secret, 'secret')));
  const hmacKey = kdfA(hash, seed, 'INTEGRITY', new Uint8Array(), 8 * HASH_SIZES[hash]);
  const integrityHmac = new Uint8Array(createHmac(hash, hmacKey).update(encryptedIdentity).update(akName).digest());
  return encode(tpm2bIdObject, { integrityHmac, encryptedIdentity });
}

/** KDFa, Part 1 §11.4.10.2: SP 800-108 in counter mode. */
export function kdfA(hash: HashName, key: Uint8Array, label: string, contextU: Uint8Array, bits: number): Uint8Array {
  return counted(bits, (counter) =>
    createHmac(hash, key).update(counter).update(`${label}\0`).update(contextU).update(bigEndian32(bits)).digest(),
  );
}

/** KDFe, Part 1 §11.4.10.3: SP 800-56A. */
export function kdfE(
  hash: HashName,
  z: Uint8Array,
  label: string,
  parties: { readonly u: Uint8Array; readonly v: Uint8Array },
  bits: number,
): Uint8Array {
  return counted(bits, (counter) =>
    createHash(hash).update(counter).update(z).update(`${label}\0`).update(parties.u).update(parties.v).digest(),
  );
}

/** The terminating zero belongs to it, Part 1 annex B.10.4. */
const OAEP_LABEL = new TextEncoder().encode('IDENTITY\0');

function shareWithRsa(ek: RsaPublic, hash: HashName): { seed: Uint8Array; encryptedSecret: Uint8Array } {
  const seed = new Uint8Array(randomBytes(HASH_SIZES[hash]));
  const key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo(ek)), format: 'der', type: 'spki' });
  const encrypted = publicEncrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash, oaepLabel: OAEP_LABEL },
    seed,
  );
  return { seed, encryptedSecret: encode(tpm2bEncryptedSecret, new Uint8Array(encrypted)) };
}

const CURVES = { p256: { name: 'prime256v1', bytes: 32 }, p384: { name: 'secp384r1', bytes: 48 } } as const;

function shareWithEcc(ek: EccPublic, hash: HashName): { seed: Uint8Array; encryptedSecret: Uint8Array } {
  if (ek.curve !== 'p256' && ek.curve !== 'p384') throw new TpmKeyError(`an EK on curve ${ek.curve}`);
  const { name, bytes } = CURVES[ek.curve];
  const ephemeral = createECDH(name);
  const own = ephemeral.generateKeys();
  const spki = subjectPublicKeyInfo(ek);
  const ekPoint = spki.subarray(spki.length - 2 * bytes - 1); // SubjectPublicKeyInfo ends in the uncompressed point
  const z = shareSecret(ephemeral, ekPoint);
  const x = new Uint8Array(own.subarray(1, 1 + bytes));
  const y = new Uint8Array(own.subarray(1 + bytes));
  const parties = { u: x, v: ekPoint.subarray(1, 1 + bytes) };
  const seed = kdfE(hash, z, 'IDENTITY', parties, 8 * HASH_SIZES[hash]);
  return { seed, encryptedSecret: encode(sized(u16, eccPoint), { x, y }) };
}

/** OpenSSL checks that the point is on the curve. */
function shareSecret(ephemeral: ReturnType<typeof createECDH>, point: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(ephemeral.computeSecret(point));
  } catch (cause) {
    throw new TpmKeyError('the EK is not a point on its curve', { cause });
  }
}

function supportedHash(name: HashName | 'null'): HashName {
  if (name === 'sha256' || name === 'sha384' || name === 'sha512') return name;
  throw new TpmKeyError(`an EK whose nameAlg is ${name}`);
}

function counted(bits: number, block: (counter: Uint8Array) => Uint8Array): Uint8Array {
  const blocks: number[] = [];
  for (let counter = 1; 8 * blocks.length < bits; counter += 1) blocks.push(...block(bigEndian32(counter)));
  return Uint8Array.from(blocks.slice(0, bits / 8));
}

function bigEndian32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}
