import { describe, expect, it } from 'vitest';
import { newKey, usages, writeRevocationList } from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import { authority, codeOf, HARDWARE, identityOf, judge, leafUnder, middle, root } from '../testing/ek-chains-node.ts';

describe('revocation lists', () => {
  const serial = w.integer(0x12, 0x34);
  const leaf = leafUnder(middle, { serial });
  const judgeWith = (...lists: Uint8Array[]) =>
    judge([leaf, middle.certificate], { revocationLists: lists, anchorClasses: HARDWARE });

  it('that do not name the certificate are counted in the evidence', () => {
    const judged = judgeWith(
      writeRevocationList({ signer: middle }),
      writeRevocationList({ signer: root, revoked: [serial] }),
    );
    expect(identityOf(judged).evidence).toContain('2 current revocation list(s)');
  });

  it.each([
    {
      name: 'the EK certificate',
      list: writeRevocationList({ signer: middle, revoked: [w.integer(9), serial] }),
      code: 'EK_CERTIFICATE_REVOKED',
    },
    {
      name: 'its authority',
      list: writeRevocationList({ signer: root, revoked: [w.integer(1)] }),
      code: 'EK_CERTIFICATE_REVOKED',
    },
    {
      name: 'nothing, forged',
      list: writeRevocationList({ signer: middle, forged: true }),
      code: 'REVOCATION_LIST_INVALID',
    },
    {
      name: 'nothing, by somebody of that name',
      list: writeRevocationList({ signer: { key: newKey(), name: middle.name } }),
      code: 'REVOCATION_LIST_INVALID',
    },
    {
      name: 'nothing, signed over SHA-1',
      list: writeRevocationList({ signer: { ...middle, hash: 'sha1' } }),
      code: 'REVOCATION_LIST_INVALID',
    },
    {
      name: 'nothing, out of date',
      list: writeRevocationList({ signer: middle, nextUpdate: w.utcTime('261120000000Z') }),
      code: 'REVOCATION_LIST_STALE',
    },
    {
      name: 'nothing, of tomorrow',
      list: writeRevocationList({ signer: middle, thisUpdate: w.utcTime('261122000000Z') }),
      code: 'REVOCATION_LIST_STALE',
    },
  ])('that name $name: $code', ({ list, code }) => expect(codeOf(judgeWith(list))).toBe(code));

  it('by an authority that may not sign lists are refused', () => {
    const only = w.extension('2.5.29.15', w.der(0x03, Uint8Array.of(2, 0x04)), w.TRUE);
    const mute = authority('Mute', root, { extensions: [usages.ca, only] });
    const judged = judge([leafUnder(mute), mute.certificate], {
      revocationLists: [writeRevocationList({ signer: mute })],
    });
    expect(codeOf(judged)).toBe('REVOCATION_LIST_INVALID');
  });

  it('of another authority of the same name belong to that one', () => {
    const namesake = authority('Some Intermediate', root);
    const revocationLists = [writeRevocationList({ signer: namesake, revoked: [serial] })];
    const certificates = [leaf, middle.certificate];
    const known = { revocationLists, extraCertificates: [namesake.certificate] };
    expect(codeOf(judge(certificates, known))).toBe(null);
    expect(codeOf(judge(certificates, { revocationLists }))).toBe('REVOCATION_LIST_INVALID');
  });

  it('of the same authority: the newest counts', () => {
    const old = writeRevocationList({
      signer: middle,
      thisUpdate: w.utcTime('250101000000Z'),
      nextUpdate: w.utcTime('250201000000Z'),
    });
    expect(codeOf(judgeWith(old))).toBe('REVOCATION_LIST_STALE');
    expect(codeOf(judgeWith(old, writeRevocationList({ signer: middle })))).toBe(null);
    expect(codeOf(judgeWith(old, writeRevocationList({ signer: middle, revoked: [serial] })))).toBe(
      'EK_CERTIFICATE_REVOKED',
    );
  });

  it.each([
    { name: 'garbage', list: new Uint8Array(40) },
    { name: 'one cut short', list: writeRevocationList({ signer: middle }).subarray(0, -1) },
    { name: 'one without nextUpdate', list: writeRevocationList({ signer: middle, nextUpdate: null }) },
    {
      name: 'a delta list',
      list: writeRevocationList({ signer: middle, extensions: [w.extension('2.5.29.27', w.integer(1), w.TRUE)] }),
    },
    {
      name: 'one for some reasons only',
      list: writeRevocationList({
        signer: middle,
        extensions: [w.extension('2.5.29.28', w.sequence(w.der(0x83, Uint8Array.of(1, 6))), w.TRUE)],
      }),
    },
    {
      name: 'one with entries of other authorities',
      list: writeRevocationList({
        signer: middle,
        revoked: [serial],
        entryExtensions: [w.extension('2.5.29.29', w.sequence(), w.TRUE)],
      }),
    },
  ])('$name: cannot be judged with', ({ list }) => {
    expect(() => judgeWith(list)).toThrow(expect.objectContaining({ code: 'REVOCATION_LIST_MALFORMED' }));
  });

  it('for users only, with a place of publication, are whole', () => {
    const point = w.extension(
      '2.5.29.28',
      w.sequence(w.der(0xa0, w.der(0xa0)), w.der(0x81, Uint8Array.of(0xff))),
      w.TRUE,
    );
    expect(codeOf(judgeWith(writeRevocationList({ signer: middle, extensions: [point] })))).toBe(null);
  });
});
