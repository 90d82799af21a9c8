import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newKey, oaepSpkiOf, usages } from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import { codeOf, ekKey, identityOf, judge, leafUnder, root } from '../testing/ek-chains-node.ts';

describe('quirks of EK certificates, named in the result', () => {
  const rsa = newKey('rsa');
  const shuffled = w.sequence(
    w.set(w.sequence(w.oid('2.5.4.10'), w.utf8('An organisation')), w.sequence(w.oid('2.5.4.3'), w.utf8('A'))),
  );
  const padded = (leaf: Uint8Array, fill: number): Uint8Array =>
    Uint8Array.from([...leaf, ...new Uint8Array(50).fill(fill)]);
  const headed = (leaf: Uint8Array): Uint8Array =>
    Uint8Array.from([0x10, 0x01, 0x00, (leaf.length + 2) >> 8, (leaf.length + 2) & 0xff, 0x10, 0x02, ...leaf]);

  it.each<{ name: string; leaf: Uint8Array; quirks: readonly string[]; key?: KeyObject }>([
    {
      name: 'RSAES-OAEP',
      leaf: leafUnder(root, { publicKeyInfo: oaepSpkiOf(rsa) }, rsa),
      key: rsa,
      quirks: ['rsaes-oaep-key'],
    },
    { name: 'SHA-1', leaf: leafUnder({ ...root, hash: 'sha1' }), quirks: ['sha1-signature'] },
    { name: 'a SET out of order', leaf: leafUnder(root, { subject: shuffled }), quirks: ['set-order'] },
    { name: 'padding of 00', leaf: padded(leafUnder(root), 0), quirks: ['nv-padding'] },
    { name: 'padding of FF', leaf: padded(leafUnder(root), 0xff), quirks: ['nv-padding'] },
    { name: 'the head of a stored certificate', leaf: headed(leafUnder(root)), quirks: ['nv-header'] },
    { name: 'both', leaf: padded(headed(leafUnder(root)), 0), quirks: ['nv-header', 'nv-padding'] },
    {
      name: 'a negative serial number',
      leaf: leafUnder(root, { serial: w.integer(0xe9, 0xba) }),
      quirks: ['serial-number'],
    },
    { name: 'a serial number of zero', leaf: leafUnder(root, { serial: w.integer(0) }), quirks: ['serial-number'] },
    {
      name: 'a serial number in a longer form',
      leaf: leafUnder(root, { serial: w.integer(0, 1) }),
      quirks: ['serial-number'],
    },
    {
      name: 'a serial number of 24 bytes',
      leaf: leafUnder(root, { serial: w.integer(...Array.from({ length: 24 }, () => 0x55)) }),
      quirks: ['serial-number'],
    },
    {
      name: 'a date without seconds',
      leaf: leafUnder(root, { notBefore: w.utcTime('2001010000Z') }),
      quirks: ['time-form'],
    },
    {
      name: 'a date in another zone',
      leaf: leafUnder(root, { notBefore: w.utcTime('200101000000+0100') }),
      quirks: ['time-form'],
    },
    {
      name: 'fractions of a second',
      leaf: leafUnder(root, { notBefore: w.generalizedTime('20200101000000.5Z') }),
      quirks: ['time-form'],
    },
    {
      name: 'GeneralizedTime before 2050',
      leaf: leafUnder(root, { notAfter: w.generalizedTime('20301231235959Z') }),
      quirks: ['time-form'],
    },
    {
      name: 'CA:FALSE written out',
      leaf: leafUnder(root, { extensions: [usages.ek, w.extension('2.5.29.19', w.sequence(w.FALSE), w.TRUE)] }),
      quirks: ['explicit-default'],
    },
    {
      name: 'a TRUE of 01',
      leaf: leafUnder(root, {
        extensions: [usages.ek, w.extension('2.5.29.35', w.sequence(), w.der(1, Uint8Array.of(1)))],
      }),
      quirks: ['boolean-form'],
    },
    {
      name: 'an alternative name without structure',
      leaf: leafUnder(root, { extensions: [usages.ek, w.extension('2.5.29.17', w.utf8('TPM of somebody'))] }),
      quirks: ['unstructured-alternative-name'],
    },
    {
      name: 'none: notAfter 99991231235959Z, empty subject, critical alternative name',
      leaf: leafUnder(root),
      quirks: [],
    },
  ])('$name', ({ leaf, quirks, key = ekKey }) => {
    expect(identityOf(judge([leaf], {}, key)).quirks).toEqual(quirks);
  });

  it('SHA-1 is named as a weakness too', () => {
    const links = identityOf(judge([leafUnder({ ...root, hash: 'sha1' })])).weaknesses.map(({ link }) => link);
    expect(links).toContain('SECURITY.md#sha-1-in-old-ek-certificates');
  });

  it.each([
    { name: 'other bytes behind it', leaf: Uint8Array.from([...leafUnder(root), 0, 0, 1]) },
    {
      name: 'a head of another length',
      leaf: headed(leafUnder(root)).map((byte, index) => (index === 4 ? byte ^ 1 : byte)),
    },
    { name: 'a head of another kind', leaf: headed(leafUnder(root)).map((byte, index) => (index === 6 ? 3 : byte)) },
    { name: 'a date that does not exist', leaf: leafUnder(root, { notBefore: w.utcTime('250229000000Z') }) },
    { name: 'a date in words', leaf: leafUnder(root, { notBefore: w.generalizedTime('today') }) },
    { name: 'version 1', leaf: leafUnder(root, { version: w.der(0xa0, w.integer(0)) }) },
    { name: 'an extension twice', leaf: leafUnder(root, { extensions: [usages.ek, usages.ek] }) },
    { name: 'an empty serial number', leaf: leafUnder(root, { serial: w.integer() }) },
    { name: 'a megabyte', leaf: leafUnder(root, { subject: w.commonName('x'.repeat(1_000_000)) }) },
  ])('$name is malformed', ({ leaf }) => expect(codeOf(judge([leaf]))).toBe('EK_CERTIFICATE_MALFORMED'));

  it('a name of pages is cut', () => {
    const parts = Array.from({ length: 60 }, () => w.set(w.sequence(w.oid('2.5.4.11'), w.utf8('x'.repeat(200)))));
    const { evidence } = identityOf(judge([leafUnder(root, { subject: w.sequence(...parts), forged: true })]));
    expect(evidence.length).toBeLessThan(500);
  });

  it('control characters and direction marks of a name do not reach the reader', () => {
    const leaf = leafUnder(root, { subject: w.commonName('a\u001b[2Jb\u202ec'), forged: true });
    const { evidence } = identityOf(judge([leaf]));
    expect(evidence).toContain('CN=a\ufffd[2Jb\ufffdc');
  });
});
