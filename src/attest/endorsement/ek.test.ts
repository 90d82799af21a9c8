import { EK_TEMPLATES } from 'tpm2-ts/templates';
import { describe, expect, it, vi } from 'vitest';
import { fromHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { ekPublicOf, newKey, tpmName, usages } from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import {
  authority,
  codeOf,
  ekKey,
  HARDWARE,
  INFINEON,
  identityOf,
  judge,
  leafUnder,
  root,
  TIME,
} from '../testing/ek-chains-node.ts';
import { judgeEk } from './ek.ts';
import { prepareTrust } from './ek-trust.ts';

describe('the EK certificate itself', () => {
  const withExtensions = (...extensions: Uint8Array[]): Uint8Array => leafUnder(root, { extensions });
  const name = tpmName(INFINEON);

  it.each([
    { name: 'no extended key usage', leaf: withExtensions(name) },
    {
      name: 'another usage',
      leaf: withExtensions(name, w.extension('2.5.29.37', w.sequence(w.oid('1.3.6.1.5.5.7.3.1')))),
    },
    { name: 'a key that only signs', leaf: withExtensions(name, usages.ek, usages.digitalSignature) },
    { name: "RSA's usage with an elliptic key", leaf: withExtensions(name, usages.ek, usages.keyEncipherment) },
    { name: 'the rights of an authority', leaf: withExtensions(name, usages.ek, usages.ca) },
    {
      name: 'an unknown critical extension',
      leaf: withExtensions(name, usages.ek, w.extension('1.2.3.4', w.sequence(), w.TRUE)),
    },
  ])('with $name is refused', ({ leaf }) => expect(codeOf(judge([leaf]))).toBe('EK_CERTIFICATE_PURPOSE'));

  it('may have the usage of an EK second in the list, critical or not (pitfall 64)', () => {
    const usage = w.sequence(w.oid('1.3.6.1.5.5.7.3.1'), w.oid('2.23.133.8.1'));
    expect(codeOf(judge([withExtensions(name, w.extension('2.5.29.37', usage, w.TRUE))]))).toBe(null);
  });

  it('for another key is refused, whoever signed it (pitfall 45)', () => {
    expect(codeOf(judge([leafUnder(root, {}, newKey())]))).toBe('EK_KEY_MISMATCH');
    expect(codeOf(judge([leafUnder(root, {}, newKey('rsa'))]))).toBe('EK_KEY_MISMATCH');
  });

  it('handed over by hand is found by its key and checked like any other', () => {
    const byHand = (leaf: Uint8Array) =>
      judge([], { extraCertificates: [leafUnder(root, {}, newKey()), leaf], anchorClasses: HARDWARE });
    expect(identityOf(byHand(leafUnder(root))).class).toBe('hardware');
    expect(codeOf(byHand(leafUnder(root, {}, newKey())))).toBe('EK_CERTIFICATE_MISSING');
    expect(codeOf(byHand(leafUnder(root, { forged: true })))).toBe('EK_AUTHORITY_UNKNOWN');
    expect(codeOf(byHand(withExtensions(name)))).toBe('EK_CERTIFICATE_PURPOSE');
  });

  it.each([
    { restricted: false },
    { decrypt: false },
    { fixedTpm: false },
    { fixedParent: false },
    { signEncrypt: true },
  ])('of an EK with %o is refused', (attributes) => {
    const ek = ekPublicOf(ekKey);
    const changed = { ...ek, attributes: { ...ek.attributes, ...attributes } } as typeof ek;
    const trust = prepareTrust({ anchors: [root.certificate], extraCertificates: [], revocationLists: [] }, crypto);
    expect(judgeEk([leafUnder(root)], changed, trust, TIME, crypto)).toMatchObject({ code: 'EK_ATTRIBUTES_UNSAFE' });
  });

  it('of an EK that fits no template is accepted and the template named as a quirk', () => {
    const ek = { ...ekPublicOf(ekKey), authPolicy: new Uint8Array(32) };
    const trust = prepareTrust({ anchors: [root.certificate], extraCertificates: [], revocationLists: [] }, crypto);
    expect(identityOf(judgeEk([leafUnder(root)], ek, trust, TIME, crypto)).quirks).toEqual(['ek-template']);
  });
});

describe('a verifier that remembers machines', () => {
  const input = { anchors: [root.certificate], extraCertificates: [], revocationLists: [] };
  const ek = ekPublicOf(ekKey);

  it('judges as one that does not, in every round, whoever comes between', () => {
    const trust = prepareTrust(input, crypto, 2);
    const good = leafUnder(root);
    const flipped = good.map((byte, at) => (at === good.length - 3 ? byte ^ 1 : byte));
    const leaves = [good, leafUnder(root, { forged: true }), flipped, leafUnder(authority('another'))];
    for (let round = 0; round < 3; round += 1) {
      for (const leaf of leaves) {
        expect(judgeEk([leaf], ek, trust, TIME, crypto)).toEqual(
          judgeEk([leaf], ek, prepareTrust(input, crypto), TIME, crypto),
        );
      }
    }
  });

  it('reads the certificate of such a machine once, and asks for signature and validity each time', () => {
    const verify = vi.fn(crypto.verify);
    const counting = { ...crypto, verify };
    const trust = prepareTrust(input, counting, 2);
    const leaf = leafUnder(root, { notAfter: w.utcTime('400101000000Z') });
    const sent = Uint8Array.from(leaf);
    const judged = judgeEk([sent], ek, trust, TIME, counting);
    sent.fill(0); // what the sender does with its bytes afterwards is nothing to us
    expect(judgeEk([leaf], ek, trust, TIME, counting)).toEqual(judged);
    expect(codeOf(judgeEk([leaf], ek, trust, new Date('2041-01-01T00:00:00Z'), counting))).toBe(
      'EK_CERTIFICATE_EXPIRED',
    );
    expect(verify).toHaveBeenCalledTimes(3);
    expect(trust.leaf(leaf)).toBe(trust.leaf(Uint8Array.from(leaf)));
  });
});

describe('the class', () => {
  const classOf = (
    manufacturer: string,
    stated?: 'hardware' | 'firmware' | 'cloud' | 'software' | 'unknown',
    model?: string,
  ) =>
    identityOf(
      judge([leafUnder(root, { extensions: [usages.ek, tpmName(manufacturer, model)] })], {
        anchorClasses: stated === undefined ? undefined : { [root.fingerprint]: stated },
      }),
    ).class;

  it('of an authority in no table is what the operator says, never more than the maker makes', () => {
    expect(classOf(INFINEON)).toBe('unknown');
    expect(classOf(INFINEON, 'hardware')).toBe('hardware');
    expect(classOf(INFINEON, 'cloud')).toBe('cloud');
    expect(classOf('id:494E5443', 'hardware')).toBe('firmware');
    expect(classOf('id:474F4F47', 'hardware')).toBe('cloud');
    expect(classOf('id:12345678', 'firmware')).toBe('firmware');
    expect(classOf('id:12345678', 'unknown')).toBe('unknown');
  });

  it('is software for whatever calls itself so (pitfall 53)', () => {
    expect(classOf('id:00001014', 'hardware')).toBe('software');
    expect(classOf('id:564D5700', 'hardware')).toBe('software');
    expect(classOf(INFINEON, 'hardware', 'swtpm')).toBe('software');
    const local = authority('swtpm-localca');
    expect(identityOf(judge([leafUnder(local)], { anchors: [local.certificate] })).class).toBe('software');
  });
});

it('a key that gives itself away (ROCA) makes no class', () => {
  // 65537^1 · 65537^2 modulo the first 126 primes, as the flawed library built its keys
  const primes: number[] = [];
  for (let each = 2; primes.length < 126; each += 1) if (primes.every((prime) => each % prime !== 0)) primes.push(each);
  const product = primes.reduce((sum, prime) => sum * BigInt(prime), 1n);
  const modulus = ((1n << 54n) * product + 65_537n) * ((1n << 52n) * product + 65_537n ** 2n);
  const bytes = fromHex(modulus.toString(16).padStart(512, '0'));
  const publicKeyInfo = w.sequence(
    w.sequence(w.oid('1.2.840.113549.1.1.1'), w.der(0x05)),
    w.bits(w.sequence(w.integer(...((bytes[0] ?? 0) >= 0x80 ? [0] : []), ...bytes), w.integer(1, 0, 1))),
  );
  const extensions = [usages.ek, tpmName(INFINEON), usages.keyEncipherment];
  const input = { anchors: [root.certificate], extraCertificates: [], revocationLists: [], anchorClasses: HARDWARE };
  const ek = { ...EK_TEMPLATES.rsa, unique: bytes };
  const leaf = leafUnder(root, { publicKeyInfo, extensions });
  const identity = identityOf(judgeEk([leaf], ek, prepareTrust(input, crypto), TIME, crypto));
  expect(identity.class).toBe('unknown');
  expect(identity.evidence).toContain('ROCA');
});

describe('what was named cannot be read', () => {
  it.each(['anchors', 'extraCertificates'] as const)('%s', (field) => {
    expect(() => judge([leafUnder(root)], { [field]: [root.certificate.subarray(0, 100)] })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(CERTIFICATE|DER)_MALFORMED$/) }),
    );
  });
});
