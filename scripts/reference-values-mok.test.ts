import { describe, expect, it } from 'vitest';
import { mokVariables } from './reference-values-mok.ts';
import { peFile } from './testing/pe-file.ts';

const certificate = Buffer.concat([Buffer.from('3082', 'hex'), Buffer.alloc(10, 0xce)]);
const denied = Buffer.concat([Buffer.from('2616c4c14c509240aca941f936934328', 'hex'), Buffer.alloc(60, 0xdd)]);

describe('what shim measures', () => {
  it('is its certificate as a signature list, its deny list as it is, and one byte', () => {
    const [list, denyList, trusted] = mokVariables(shim({ certificate, denied })).map(({ content }) => content);
    const size = 28 + 16 + certificate.length;
    const words = Buffer.alloc(12);
    words.writeUInt32LE(size, 0);
    words.writeUInt32LE(16 + certificate.length, 8);
    const x509 = 'a159c0a5e494a74a87b5ab155c2bf072';
    const shimLock = '50ab5d6046e00043abb63dd810dd8b23';
    expect(Buffer.from(list ?? []).toString('hex')).toBe(
      x509 + words.toString('hex') + shimLock + certificate.toString('hex'),
    );
    expect(denyList).toEqual(denied);
    expect(trusted).toEqual(Uint8Array.of(1));
  });
});

describe('a shim that is built in another way is refused', () => {
  it.each([
    { name: 'no certificate', table: { certificate: Buffer.alloc(0), denied } },
    { name: 'a list in place of a certificate', table: { certificate: denied, denied } },
    { name: 'no deny list', table: { certificate, denied: Buffer.alloc(0) } },
    { name: 'a gap between the lists', table: { certificate, denied, deniedAt: 16 + certificate.length + 4 } },
    { name: 'a list behind the end', table: { certificate, denied, deniedSize: 1_000_000 } },
  ])('$name', ({ table }) => {
    expect(() => mokVariables(shim(table))).toThrow(expect.objectContaining({ code: 'PE_MALFORMED' }) as Error);
  });

  it('a section too short for its table', () => {
    const short = peFile([{ name: '.vendor_cert', content: Buffer.alloc(15) }]);
    expect(() => mokVariables(short)).toThrow(expect.objectContaining({ code: 'PE_MALFORMED' }) as Error);
  });
});

interface CertTable {
  readonly certificate: Buffer;
  readonly denied: Buffer;
  readonly deniedAt?: number;
  readonly deniedSize?: number;
}

/** struct cert_table of shim's cert.S: two sizes, two offsets, then the data. */
function shim(table: CertTable): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(table.certificate.length, 0);
  head.writeUInt32LE(table.deniedSize ?? table.denied.length, 4);
  head.writeUInt32LE(16, 8);
  head.writeUInt32LE(table.deniedAt ?? 16 + table.certificate.length, 12);
  return peFile([{ name: '.vendor_cert', content: Buffer.concat([head, table.certificate, table.denied]) }]);
}
