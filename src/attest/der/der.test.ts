import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../endorsement/certificate.ts';
import { readLeaf } from '../endorsement/ek-trust.ts';
import { parseRevocationList } from '../endorsement/revocation.ts';
import {
  newKey,
  spkiOf,
  tpmName,
  usages,
  writeCertificate,
  writeRevocationList,
} from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import {
  contentOf,
  DerError,
  derReader,
  expectTag,
  finish,
  hasMore,
  inside,
  integerBytes,
  naturalBytes,
  oidText,
  only,
  smallNumber,
  TAG,
  take,
} from './der.ts';
import { canonicalName, nameText } from './der-name.ts';
import { derTime } from './der-time.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const fails = (what: () => unknown) => expect(what).toThrow(DerError);

describe('elements', () => {
  it.each([
    ['0500', 0x05, 0],
    ['300402020100', 0x30, 4],
    [`0481ff${'00'.repeat(255)}`, 0x04, 255],
    [`04820100${'00'.repeat(256)}`, 0x04, 256],
    [`0483010000${'00'.repeat(65_536)}`, 0x04, 65_536],
  ])('%.12s…', (text, tag, length) => {
    const element = only(hex(text), tag);
    expect(contentOf(element)).toHaveLength(length);
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['less than it says', '040201'],
    ['an indefinite length', '30800000'],
    ['a tag of two bytes', '1f8100'],
    ['a short length in the long form', '04810100'],
    ['a length with a leading zero', `0482007f${'00'.repeat(127)}`],
    ['a length of four bytes', '0484000000010000'],
    ['a length of 127 bytes', '04ff00'],
    ['a cut length', '0482ff'],
  ])('refuses %s', (_, text) => fails(() => take(derReader(hex(text)))));

  it('refuses what is left over, and another tag', () => {
    fails(() => only(hex('050000'), TAG.null));
    fails(() => only(hex('0500'), TAG.sequence));
  });

  it('never looks past the element it is in', () => {
    const reader = inside(only(hex('30030401aa'.replace('03', '03')), TAG.sequence));
    expect(contentOf(expectTag(reader, TAG.octetString))).toEqual(hex('aa'));
    finish(reader);
    fails(() => take(inside(only(hex('30020402'), TAG.sequence))));
  });
});

describe('numbers and identifiers', () => {
  it.each([
    ['020100', 0],
    ['02017f', 127],
    ['02020080', 128],
    ['02047fffffff', 0x7fffffff],
  ])('%s is %i', (text, value) => expect(smallNumber(only(hex(text), TAG.integer))).toBe(value));
  it.each(['0200', '02020001', '0202ffff', '020180', '02050100000000'])('%s is no small number', (text) =>
    fails(() => smallNumber(only(hex(text), TAG.integer))),
  );
  it('takes the sign byte off a natural number', () => {
    expect(naturalBytes(only(hex('02020080'), TAG.integer))).toEqual(hex('80'));
    expect(integerBytes(only(hex('0201ff'), TAG.integer))).toEqual(hex('ff'));
  });
  it.each(['2.23.133.8.1', '1.2.840.113549.1.1.11', '2.5.29.15', '0.9.2342.19200300.100.1.1', '2.999.4294967295'])(
    '%s',
    (text) => {
      if (!text.startsWith('2.999')) expect(oidText(only(w.oid(text), TAG.oid))).toBe(text);
      else expect(oidText(only(hex('06078837' + '8fffffff7f'), TAG.oid))).toBe(text);
    },
  );
  it.each(['0600', '060180', '06022a80', '06032a8001', '06072affffffffff7f'])('%s is no identifier', (text) =>
    fails(() => oidText(only(hex(text), TAG.oid))),
  );
});

describe('times', () => {
  const ms = (element: Uint8Array): number => derTime(take(derReader(element))).ms;
  it.each([
    [w.utcTime('491231235959Z'), '2049-12-31T23:59:59Z'],
    [w.utcTime('500101000000Z'), '1950-01-01T00:00:00Z'],
    [w.utcTime('200229120000-0130'), '2020-02-29T13:30:00Z'],
    [w.generalizedTime('99991231235959Z'), '9999-12-31T23:59:59Z'],
    [w.generalizedTime('00010101000000Z'), '0001-01-01T00:00:00Z'],
    [w.generalizedTime('202002291200Z'), '2020-02-29T12:00:00Z'],
  ])('%#', (element, text) => expect(ms(element)).toBe(Date.parse(text)));
  it.each(['991231240000Z', '990230000000Z', '99123123595Z', '991231235959', '9912312359590Z', '-11231235959Z', ''])(
    'refuses %s',
    (text) => fails(() => ms(w.utcTime(text))),
  );
});

const key = newKey();
const signer = { key, name: w.commonName('An authority') };
const certificate = writeCertificate({
  signer,
  subject: w.commonName('A TPM'),
  publicKeyInfo: spkiOf(key),
  extensions: [usages.ek, usages.keyAgreement, tpmName('id:49465800'), w.extension('2.5.29.35', w.sequence())],
});
const list = writeRevocationList({
  signer,
  revoked: [w.integer(1), w.integer(2)],
  extensions: [w.extension('2.5.29.20', w.integer(1))],
});

describe('whatever arrives', () => {
  const CODES = /^(DER|CERTIFICATE|REVOCATION_LIST)_MALFORMED$/;
  /** Reads or throws a coded error; anything else is a crash. */
  const survive = (bytes: Uint8Array): void => {
    for (const read of [parseCertificate, readLeaf, parseRevocationList]) {
      try {
        read(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(CODES) });
      }
    }
    nameText(bytes);
    canonicalName(bytes);
  };

  it('any bytes', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), survive), { numRuns: 500 }));

  it('any tree of elements', () => {
    const { tree } = fc.letrec<{ tree: Uint8Array }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc
          .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 12, 19, 23, 24, 0x80), fc.uint8Array({ maxLength: 12 }))
          .map(([tag, bytes]) => w.der(tag, bytes)),
        fc
          .tuple(fc.constantFrom(0x30, 0x31, 0xa0, 0xa3), fc.array(tie('tree'), { maxLength: 6 }))
          .map(([tag, parts]) => w.der(tag, ...parts)),
      ),
    }));
    fc.assert(fc.property(tree, survive), { numRuns: 500 });
  });

  it.each([
    { name: 'certificate', good: certificate },
    { name: 'revocation list', good: list },
  ])('a $name with any byte changed, dropped or doubled', ({ good }) => {
    for (let at = 0; at < good.length; at += 1) {
      for (const byte of [0, 0x7f, 0x80, 0xff, (good[at] ?? 0) ^ 1])
        survive(good.map((each, index) => (index === at ? byte : each)));
      survive(Uint8Array.from([...good.subarray(0, at), ...good.subarray(at + 1)]));
      survive(Uint8Array.from([...good.subarray(0, at + 1), ...good.subarray(at)]));
    }
  });

  it('5 MB of anything, read in bounded steps', () => {
    const size = 5 * 1024 * 1024;
    const nested = new Uint8Array(size).fill(0x30);
    const padded = new Uint8Array(size);
    padded.set(certificate);
    const random = Uint8Array.from({ length: size }, (_, index) => (index * 2_654_435_761) >>> 13);
    const extensions = w.sequence(
      w.der(0xa3, w.sequence(...Array.from({ length: 40_000 }, () => w.extension('1.2.3', w.sequence())))),
    );
    for (const bytes of [new Uint8Array(size), nested, random, w.sequence(nested), extensions]) survive(bytes);
    expect(readLeaf(padded).quirks).toEqual(['nv-padding']);
  });

  it('a list of 10 000 revoked certificates', () => {
    const serials = Array.from({ length: 10_000 }, (_, index) => w.integer(1, index >> 8, index & 0xff));
    expect(parseRevocationList(writeRevocationList({ signer, revoked: serials })).revoked.size).toBe(10_000);
  });

  it('reads to the end', () => {
    const reader = derReader(certificate);
    take(reader);
    expect(hasMore(reader)).toBe(false);
  });
});
