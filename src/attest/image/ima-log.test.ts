import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto as crypto } from '../crypto/crypto-node.ts';
import { text, u32 } from '../event-log/testing/raw-log.ts';
import { bootAggregate, IMA_PCR, ImaLogError, type ImaTemplate, parseImaLog, provenImaEntries } from './ima-log.ts';

const field = (value: Uint8Array): Uint8Array => concatBytes(u32(value.length), value);
const digest = crypto.hash('sha256', text('content'));
const sha256Field = concatBytes(text('sha256:\0'), digest);

interface Written {
  readonly template?: string;
  readonly digestField?: Uint8Array;
  readonly path?: string;
  readonly rest?: readonly Uint8Array[];
  readonly pcr?: number;
  readonly violation?: boolean;
}

function entry(written: Written = {}): { readonly bytes: Uint8Array; readonly data: Uint8Array } {
  const { template = 'ima-ng', digestField = sha256Field, path = '/x.ko', rest = [], pcr = IMA_PCR } = written;
  const data = concatBytes(field(digestField), field(text(`${path}\0`)), ...rest.map(field));
  const sha1 = written.violation === true ? new Uint8Array(20) : crypto.hash('sha1', data);
  return { bytes: concatBytes(u32(pcr), sha1, field(text(template)), field(data)), data };
}

const parseOne = (written: Written) => parseImaLog(entry(written).bytes)[0];

describe('an IMA entry', () => {
  const v2 = (type: string) => concatBytes(text(`${type}:sha256:\0`), digest);
  const nothing = new Uint8Array();
  it.each<{ template: ImaTemplate; rest?: Uint8Array[]; digestField?: Uint8Array; algorithm?: string }>([
    { template: 'ima-ng' },
    { template: 'ima-sig', rest: [nothing] },
    { template: 'ima-sig', rest: [text('a signature')] },
    { template: 'ima-modsig', rest: [nothing, nothing, nothing] },
    { template: 'ima-ngv2', digestField: v2('ima') },
    { template: 'ima-sigv2', digestField: v2('ima'), rest: [nothing] },
    { template: 'ima-sigv2', digestField: v2('verity'), rest: [nothing], algorithm: 'verity:sha256' },
  ])('of $template', ({ template, rest = [], digestField = sha256Field, algorithm = 'sha256' }) => {
    expect(parseOne({ template, rest, digestField })).toMatchObject({
      pcr: 10,
      template,
      violation: false,
      file: { algorithm, digest, path: '/x.ko' },
      buffer: nothing,
    });
  });

  it('of ima-buf has its buffer', () => {
    const buffer = text('root=/dev/sda1');
    expect(parseOne({ template: 'ima-buf', path: 'kexec-cmdline', rest: [buffer] })).toMatchObject({
      file: { path: 'kexec-cmdline' },
      buffer,
    });
  });

  it.each<{ name: string; written: Written }>([
    { name: 'the first template', written: { template: 'ima' } },
    { name: 'evm-sig', written: { template: 'evm-sig' } },
    { name: 'a name of the prototype', written: { template: 'constructor' } },
    { name: 'a template name of 33 bytes', written: { template: 'i'.repeat(33) } },
    { name: 'a field too few', written: { template: 'ima-sig' } },
    { name: 'a field too many', written: { rest: [text('x')] } },
    { name: 'a path with a NUL inside', written: { path: '/a\0b' } },
    { name: 'a path of more than 4096 bytes', written: { path: 'x'.repeat(4096) } },
    { name: 'a digest without algorithm', written: { digestField: digest } },
    { name: 'an untyped digest in ima-ngv2', written: { template: 'ima-ngv2' } },
    { name: 'a typed digest in ima-ng', written: { digestField: v2('verity') } },
    { name: 'an unknown digest type', written: { template: 'ima-ngv2', digestField: v2('other') } },
  ])('with $name is refused', ({ written }) => {
    expect(() => parseOne(written)).toThrow(expect.objectContaining({ code: 'IMA_LOG_MALFORMED' }));
  });

  it('is refused at every cut', () => {
    const { bytes } = entry();
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => parseImaLog(bytes.subarray(0, length))).toThrow(ImaLogError);
    }
  });
});

describe('a log', () => {
  it('may be empty', () => expect(parseImaLog(new Uint8Array())).toEqual([]));

  it('of random bytes is a log or a coded error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          parseImaLog(concatBytes(entry().bytes, noise));
        } catch (error) {
          expect(error).toBeInstanceOf(ImaLogError);
        }
      }),
    );
  });

  it('has at most 20000 entries', () => {
    const { bytes } = entry();
    const log = concatBytes(...Array.from({ length: 20_001 }, () => bytes));
    expect(parseImaLog(log.subarray(bytes.length))).toHaveLength(20_000);
    expect(() => parseImaLog(log)).toThrow(expect.objectContaining({ code: 'IMA_LOG_MALFORMED' }));
  });
});

describe('what register 10 proves', () => {
  const written = ['boot_aggregate', '/a.ko', '/b.ko', '/c.ko'].map((path) => entry({ path }));
  const log = parseImaLog(concatBytes(...written.map(({ bytes }) => bytes)));
  const registerAfter = (count: number, bank: 'sha1' | 'sha256') =>
    written
      .slice(0, count)
      .reduce(
        (value, { data }) => crypto.hash(bank, concatBytes(value, crypto.hash(bank, data))),
        new Uint8Array(bank === 'sha1' ? 20 : 32) as Uint8Array,
      );

  it.each([0, 1, 2, 4])('%i entries', (count) => {
    expect(provenImaEntries(log, registerAfter(count, 'sha256'), crypto)).toEqual(log.slice(0, count));
    expect(provenImaEntries(log, registerAfter(count, 'sha1'), crypto, 'sha1')).toEqual(log.slice(0, count));
  });

  it('nothing, when no beginning of the log leads there', () => {
    expect(provenImaEntries(log, crypto.hash('sha256', text('other')), crypto)).toBeNull();
    expect(provenImaEntries(log.slice(1), registerAfter(4, 'sha256'), crypto)).toBeNull();
  });

  it('nothing, when an entry names another register or lies about its digest', () => {
    const elsewhere = parseImaLog(concatBytes(entry({ pcr: 11 }).bytes, ...written.map(({ bytes }) => bytes)));
    expect(provenImaEntries(elsewhere, registerAfter(4, 'sha256'), crypto)).toBeNull();
    const [first, ...others] = log;
    if (first === undefined) throw new Error('the log is empty');
    expect(
      provenImaEntries([{ ...first, sha1: new Uint8Array(20).fill(1) }, ...others], registerAfter(4, 'sha256'), crypto),
    ).toBeNull();
  });

  it('a violation, as all ones', () => {
    const [violation] = parseImaLog(entry({ violation: true }).bytes);
    const value = crypto.hash('sha256', concatBytes(new Uint8Array(32), new Uint8Array(32).fill(0xff)));
    expect(provenImaEntries(violation === undefined ? [] : [violation], value, crypto)).toMatchObject([
      { violation: true },
    ]);
  });
});

it('the boot aggregate is of ten registers, of eight for SHA-1', () => {
  const registers = (bytes: number) => (index: number) => new Uint8Array(bytes).fill(index);
  const all = (bytes: number, count: number) =>
    concatBytes(...Array.from({ length: count }, (_, i) => registers(bytes)(i)));
  expect(bootAggregate(registers(32), crypto)).toBe(toHex(crypto.hash('sha256', all(32, 10))));
  expect(bootAggregate(registers(48), crypto, 'sha384')).toBe(toHex(crypto.hash('sha384', all(48, 10))));
  expect(bootAggregate(registers(20), crypto, 'sha1')).toBe(toHex(crypto.hash('sha1', all(20, 8))));
});
