/** For each structure of Part 2 that this package reads and writes: its codec and all its values. */
import fc from 'fast-check';
import { tpm2bAttest, tpmsAttest } from '../attest.ts';
import { capabilityData } from '../capability.ts';
import { type Codec, decode, sized, u16 } from '../codec.ts';
import { ECC_CURVES, HASH_SIZES, type HashName } from '../constants.ts';
import { tpm2bCreationData, tpmsCreationData } from '../creation.ts';
import { tpm2bEncryptedSecret, tpm2bIdObject } from '../credential.ts';
import { digestList, digestValues, taggedDigest, taggedDigestOrNull } from '../digest-list.ts';
import { tpmName } from '../name.ts';
import { nvAttributes, tpm2bNvPublic, tpmsNvPublic } from '../nv.ts';
import { pcrSelections } from '../pcr-selection.ts';
import { eccPoint, objectAttributes, tpm2bPublic, tpmtPublic } from '../public-area.ts';
import { tpmtAnySignature, tpmtSignature } from '../signature.ts';
import { authTicket, creationTicket, hashcheckTicket, tpmtTkAuth, verifiedTicket } from '../tickets.ts';

const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ maxLength, minLength });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.nat(0xffff_ffff);
const u8 = fc.nat(0xff);
const is = <T extends string>(text: T) => fc.constant(text);
const list = <T>(element: fc.Arbitrary<T>, maxLength: number) => fc.array(element, { maxLength });
/** Any combination of the names that a flags codec has. */
const flagsOf = <T>(codec: Codec<T>) => {
  const names = Object.keys(decode(codec, new Uint8Array(4)) as object).filter((each) => each !== 'type');
  return fc.record(Object.fromEntries(names.map((name) => [name, fc.boolean()])));
};
const hash = fc.constantFrom(...(Object.keys(HASH_SIZES) as HashName[]));
const hashOrNull = fc.oneof(hash, is('null'));
const tagged = hash.chain((name) =>
  bytes(HASH_SIZES[name], HASH_SIZES[name]).map((digest) => ({ hash: name, digest })),
);
const pcrs = fc.uniqueArray(fc.nat(23)).map((indexes) => indexes.sort((a, b) => a - b));
const selection = list(fc.record({ hash, pcrs }), 16);
const clockInfo = fc.record({ clock: u64, resetCount: u32, restartCount: u32, safe: fc.boolean() });
const name = bytes(66);

const attestHead = { qualifiedSigner: name, extraData: bytes(66), clockInfo, firmwareVersion: u64 };
const attest = fc.oneof(
  fc.record({ type: is('quote'), ...attestHead, pcrSelect: selection, pcrDigest: bytes(64) }),
  fc.record({ type: is('certify'), ...attestHead, name, qualifiedName: name }),
  fc.record({ type: is('creation'), ...attestHead, objectName: name, creationHash: bytes(64) }),
  fc.record({ type: is('time'), ...attestHead, time: fc.record({ time: u64, clockInfo }), timeFirmwareVersion: u64 }),
  fc.record({ type: is('nv'), ...attestHead, indexName: name, offset: fc.nat(0xffff), nvContents: bytes(1700) }),
  fc.record({ type: is('nvDigest'), ...attestHead, indexName: name, nvDigest: bytes(64) }),
  fc.record({ type: is('sessionAudit'), ...attestHead, exclusiveSession: fc.boolean(), sessionDigest: bytes(64) }),
  fc.record({
    type: is('commandAudit'),
    ...attestHead,
    auditCounter: u64,
    digestAlg: hash,
    auditDigest: bytes(64),
    commandDigest: bytes(64),
  }),
);

const noScheme = fc.record({ algorithm: is('null') });
const withHash = <T extends string>(...algorithms: T[]) =>
  fc.record({ algorithm: fc.constantFrom(...algorithms), hash });
const symmetric = fc.oneof(
  noScheme,
  fc.record({
    algorithm: fc.constantFrom('aes', 'sm4', 'camellia', 'tdes'),
    keyBits: fc.constantFrom(128, 192, 256),
    mode: fc.constantFrom('ctr', 'ofb', 'cbc', 'cfb', 'ecb', 'null'),
  }),
);
const kdf = fc.oneof(noScheme, withHash('mgf1', 'kdf1Sp80056a', 'kdf2', 'kdf1Sp800108'));
const publicHead = { nameAlg: hashOrNull, attributes: flagsOf(objectAttributes), authPolicy: bytes(64) };
const publicArea = fc.oneof(
  fc.record({
    type: is('rsa'),
    ...publicHead,
    symmetric,
    scheme: fc.oneof(noScheme, fc.record({ algorithm: is('rsaes') }), withHash('rsassa', 'rsapss', 'oaep')),
    keyBits: fc.constantFrom(1024, 2048, 3072, 4096),
    exponent: u32,
    unique: bytes(512),
  }),
  fc.record({
    type: is('ecc'),
    ...publicHead,
    symmetric,
    scheme: fc.oneof(
      noScheme,
      withHash('ecdsa', 'ecdh', 'sm2', 'ecschnorr', 'ecmqv'),
      fc.record({ algorithm: is('ecdaa'), hash, count: fc.nat(0xffff) }),
    ),
    curve: fc.constantFrom(...Object.keys(ECC_CURVES)),
    kdf,
    unique: fc.record({ x: bytes(80), y: bytes(80) }),
  }),
  fc.record({
    type: is('keyedHash'),
    ...publicHead,
    scheme: fc.oneof(
      noScheme,
      withHash('hmac'),
      fc.record({ algorithm: is('xor'), hash, kdf: fc.constantFrom('mgf1', 'kdf1Sp800108', 'null') }),
    ),
    unique: bytes(64),
  }),
  fc.record({ type: is('symCipher'), ...publicHead, symmetric, unique: bytes(64) }),
);

const rsaSignature = fc.record({ algorithm: fc.constantFrom('rsassa', 'rsapss'), hash, signature: bytes(512) });
const eccSignature = <T extends string>(...algorithms: T[]) =>
  fc.record({ algorithm: fc.constantFrom(...algorithms), hash, r: bytes(66), s: bytes(66) });
const signature = fc.oneof(rsaSignature, eccSignature('ecdsa'));
const anySignature = fc.oneof(
  rsaSignature,
  eccSignature('ecdsa', 'ecdaa', 'sm2', 'ecschnorr'),
  fc.record({ algorithm: is('hmac'), hmac: tagged }),
  noScheme,
);

const ticket = fc.record({ hierarchy: u32, digest: bytes(64) });
const creationData = fc.record({
  pcrSelect: selection,
  pcrDigest: bytes(64),
  locality: u8,
  parentNameAlg: hashOrNull,
  parentName: name,
  parentQualifiedName: name,
  outsideInfo: bytes(66),
});

const nvFlags = flagsOf(nvAttributes);
const nvType = fc.constantFrom('ordinary', 'counter', 'bits', 'extend', 'pinFail', 'pinPass');
const nvAttribute = fc.tuple(nvFlags, nvType).map(([set, type]) => ({ ...set, type }));
const nvPublic = fc.record({
  nvIndex: u32,
  nameAlg: hash,
  attributes: nvAttribute,
  authPolicy: bytes(64),
  dataSize: fc.nat(0xffff),
});

const capability = fc.oneof(
  fc.record({
    capability: is('algorithms'),
    algorithms: list(fc.record({ algorithm: fc.nat(0xffff), attributes: u32 }), 9),
  }),
  fc.record({ capability: is('handles'), handles: list(u32, 9) }),
  fc.record({ capability: fc.constantFrom('commands', 'ppCommands', 'auditCommands'), commands: list(u32, 9) }),
  fc.record({ capability: is('pcrs'), pcrs: selection }),
  fc.record({ capability: is('tpmProperties'), properties: list(fc.record({ property: u32, value: u32 }), 9) }),
  fc.record({ capability: is('pcrProperties'), properties: list(fc.record({ tag: u32, pcrs }), 9) }),
  fc.record({ capability: is('eccCurves'), curves: list(fc.nat(0xffff), 9) }),
  fc.record({
    capability: is('authPolicies'),
    policies: list(fc.record({ handle: u32, policy: fc.option(tagged) }), 9),
  }),
  fc.record({
    capability: is('acts'),
    acts: list(fc.record({ handle: u32, timeout: u32, attributes: u32 }), 9),
  }),
);

const someName = fc.oneof(
  fc.record({ kind: is('none') }),
  fc.record({ kind: is('handle'), handle: u32 }),
  tagged.map((digest) => ({ kind: 'digest', ...digest })),
);

export interface Structure {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}
const row = (name: string, codec: Codec<unknown>, values: fc.Arbitrary<unknown>): Structure => ({
  name,
  codec,
  values,
});

export const STRUCTURES: readonly Structure[] = [
  row('TPMS_ATTEST', tpmsAttest, attest),
  row('TPM2B_ATTEST', tpm2bAttest, attest),
  row('TPMT_SIGNATURE a verifier can check', tpmtSignature, signature),
  row('TPMT_SIGNATURE', tpmtAnySignature, anySignature),
  row('TPMT_PUBLIC', tpmtPublic, publicArea),
  row('TPM2B_PUBLIC', tpm2bPublic, publicArea),
  row('TPMA_OBJECT', objectAttributes, flagsOf(objectAttributes)),
  row('TPMS_ECC_POINT', eccPoint, fc.record({ x: bytes(80), y: bytes(80) })),
  row('TPML_PCR_SELECTION', pcrSelections, selection),
  row('TPMT_HA', taggedDigest, tagged),
  row('TPMT_HA+', taggedDigestOrNull, fc.option(tagged)),
  row('TPML_DIGEST', digestList, list(bytes(64), 8)),
  row('TPML_DIGEST_VALUES', digestValues, list(tagged, 16)),
  row('TPM2B_ID_OBJECT', tpm2bIdObject, fc.record({ integrityHmac: bytes(64), encryptedIdentity: bytes(66) })),
  row('TPM2B_ENCRYPTED_SECRET', tpm2bEncryptedSecret, bytes(512)),
  row('TPM2B_NAME', sized(u16, tpmName), someName),
  row('TPMS_CREATION_DATA', tpmsCreationData, creationData),
  row('TPM2B_CREATION_DATA', tpm2bCreationData, creationData),
  row('TPMT_TK_CREATION', creationTicket, ticket),
  row('TPMT_TK_VERIFIED', verifiedTicket, ticket),
  row('TPMT_TK_HASHCHECK', hashcheckTicket, ticket),
  row('TPMT_TK_AUTH of PolicySecret', authTicket, ticket),
  row(
    'TPMT_TK_AUTH',
    tpmtTkAuth,
    fc.record({ tag: fc.constantFrom('authSecret', 'authSigned'), hierarchy: u32, digest: bytes(64) }),
  ),
  row('TPMA_NV', nvAttributes, nvAttribute),
  row('TPMS_NV_PUBLIC', tpmsNvPublic, nvPublic),
  row('TPM2B_NV_PUBLIC', tpm2bNvPublic, nvPublic),
  row('TPMS_CAPABILITY_DATA', capabilityData, capability),
];
