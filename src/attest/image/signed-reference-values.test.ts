/** Signed reference values: every bit counts, every wrong turn has its code. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { ecdsaSignature } from '../der/ecdsa-signature.ts';
import { GOOD_BOOT, referenceValuesOf } from '../testing/boot-node.ts';
import {
  encodeEnvelope,
  preAuthEncoding,
  type ReferenceTrust,
  readReferenceValues,
  referenceKeyId,
  requireP256,
  statedSigners,
} from './signed-reference-values.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const spki = (key: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
const values = referenceValuesOf(GOOD_BOOT);
const payload = text(JSON.stringify(values));
const [publisher, stranger] = [newKey(), newKey()];
const keyId = referenceKeyId(spki(publisher), crypto);
const signature = new Uint8Array(sign('sha256', preAuthEncoding(payload), publisher));
const signed = text(encodeEnvelope(payload, signature, keyId));
const trusting = (...keys: KeyObject[]): ReferenceTrust => ({ trustedKeys: keys.map(spki) });
const envelope = (changes: object): Uint8Array =>
  text(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(signed)), ...changes }));

function outcome(bytes: Uint8Array, trust: ReferenceTrust): string {
  try {
    return readReferenceValues(bytes, trust, crypto).signedBy ?? 'unsigned';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('reference values', () => {
  it('signed by a trusted key are read, and say by whom', () => {
    expect(readReferenceValues(signed, trusting(stranger, publisher), crypto)).toEqual({ values, signedBy: keyId });
    expect(statedSigners(signed)).toEqual([keyId]);
    expect(statedSigners(payload)).toBeNull();
  });

  it('unsigned are read only where the caller says so', () => {
    expect(outcome(payload, 'unsigned')).toBe('unsigned');
    expect(outcome(signed, 'unsigned')).toBe('unsigned');
    expect(outcome(payload, trusting(publisher))).toBe('REFERENCE_UNSIGNED');
  });

  const sig = (by: KeyObject, data: Uint8Array): string => toBase64(new Uint8Array(sign('sha256', data, by)));
  const strangerId = referenceKeyId(spki(stranger), crypto);
  it.each([
    { name: 'a key nobody trusts', bytes: signed, trust: trusting(stranger), code: 'REFERENCE_KEY_UNKNOWN' },
    { name: 'no trusted key at all', bytes: signed, trust: trusting(), code: 'REFERENCE_KEY_UNKNOWN' },
    {
      name: "a stranger's signature under the publisher's key id",
      bytes: envelope({ signatures: [{ keyid: keyId, sig: sig(stranger, preAuthEncoding(payload)) }] }),
      trust: trusting(publisher),
      code: 'REFERENCE_SIGNATURE_INVALID',
    },
    {
      name: 'another payload',
      bytes: envelope({ payload: toBase64(text(JSON.stringify(referenceValuesOf({ ...GOOD_BOOT, initrd: 'evil' })))) }),
      trust: trusting(publisher),
      code: 'REFERENCE_SIGNATURE_INVALID',
    },
    {
      name: 'the payload signed without its type',
      bytes: envelope({ signatures: [{ keyid: keyId, sig: sig(publisher, payload) }] }),
      trust: trusting(publisher),
      code: 'REFERENCE_SIGNATURE_INVALID',
    },
    {
      name: 'another payload type',
      bytes: envelope({ payloadType: 'application/vnd.in-toto+json' }),
      trust: trusting(publisher),
      code: 'REFERENCE_PAYLOAD_TYPE_UNKNOWN',
    },
    {
      name: 'another payload type, unsigned',
      bytes: envelope({ payloadType: 'x' }),
      trust: 'unsigned',
      code: 'REFERENCE_PAYLOAD_TYPE_UNKNOWN',
    },
    {
      name: 'no signature',
      bytes: envelope({ signatures: [] }),
      trust: trusting(publisher),
      code: 'REFERENCE_ENVELOPE_MALFORMED',
    },
    {
      name: 'an unknown key',
      bytes: envelope({ extra: 1 }),
      trust: trusting(publisher),
      code: 'REFERENCE_ENVELOPE_MALFORMED',
    },
    {
      name: 'base64 of another alphabet',
      bytes: envelope({ payload: 'a-_=' }),
      trust: trusting(publisher),
      code: 'REFERENCE_ENVELOPE_MALFORMED',
    },
    {
      name: 'an envelope cut short',
      bytes: signed.slice(0, -4),
      trust: trusting(publisher),
      code: 'REFERENCE_ENVELOPE_MALFORMED',
    },
    { name: 'neither', bytes: text('{"hello":1}'), trust: 'unsigned', code: 'REFERENCE_VALUES_MALFORMED' },
    {
      name: 'an RSA key',
      bytes: signed,
      trust: trusting(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
      code: 'REFERENCE_KEY_UNUSABLE',
    },
    {
      name: 'a key that is none',
      bytes: signed,
      trust: { trustedKeys: [new Uint8Array(9)] },
      code: 'REFERENCE_KEY_UNUSABLE',
    },
  ] as { name: string; bytes: Uint8Array; trust: ReferenceTrust; code: string }[])(
    '$name: $code',
    ({ bytes, trust, code }) => {
      expect(outcome(bytes, trust)).toBe(code);
    },
  );

  it('one trusted signature among several is enough, wherever it stands', () => {
    const data = preAuthEncoding(payload);
    const both = [
      { keyid: strangerId, sig: sig(stranger, data) },
      { keyid: keyId, sig: sig(publisher, data) },
    ];
    for (const signatures of [both, both.toReversed()]) {
      expect(outcome(envelope({ signatures }), trusting(publisher))).toBe(keyId);
    }
  });

  it('no flipped bit passes', () => {
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.nat(7), (at, bit) => {
        const changed = signed.with(at, (signed[at] ?? 0) ^ (1 << bit));
        const result = outcome(changed, trusting(publisher));
        // white space between the fields is nobody's; the text inside is signed
        if (result === keyId)
          expect(JSON.parse(new TextDecoder().decode(changed))).toEqual(JSON.parse(new TextDecoder().decode(signed)));
      }),
      { numRuns: 300 },
    );
  });

  it('takes P-256 keys only', () => {
    expect(requireP256(spki(publisher))).toEqual(spki(publisher));
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    expect(() => requireP256(spki(other))).toThrow(expect.objectContaining({ code: 'REFERENCE_KEY_UNUSABLE' }));
  });
});

describe('an ECDSA signature in DER', () => {
  it('has the numbers of the same signature in P1363 form', () => {
    for (let round = 0; round < 40; round += 1) {
      const data = text(`${round}`);
      const raw = ecdsaSignature(new Uint8Array(sign('sha256', data, publisher)), 'P-256');
      const check = { key: { kind: 'spki', der: spki(publisher) }, scheme: 'ecdsa', hash: 'sha256', data } as const;
      expect(raw !== null && crypto.verify({ ...check, signature: raw })).toBe(true);
    }
  });

  it.each([
    { name: 'cut short', der: '3006020101020' },
    { name: 'something behind', der: '300602010102010100' },
    { name: 'a third number', der: '3009020101020101020101' },
    { name: 'a padded number', der: '300702020001020101' },
    { name: 'a negative number', der: '3006020181020101' },
    { name: 'an empty number', der: '300502000201' },
    { name: 'too long a number', der: `3026022100${'ff'.repeat(33)}020101` },
    { name: 'another tag', der: '3106020101020101' },
  ])('$name is none', ({ der }) => {
    expect(ecdsaSignature(new Uint8Array(Buffer.from(der, 'hex')), 'P-256')).toBeNull();
  });

  it('small numbers get the full width', () => {
    const raw = ecdsaSignature(new Uint8Array(Buffer.from('3006020101020102', 'hex')), 'P-256');
    expect(raw).toEqual(new Uint8Array(64).with(31, 1).with(63, 2));
  });
});
