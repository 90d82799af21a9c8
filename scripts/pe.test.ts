import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authenticodeSha256, readSection } from './pe.ts';
import { PE_OFFSETS, peFile } from './testing/pe-file.ts';

const text = (value: string) => new TextEncoder().encode(value);
const sections = [
  { name: '.text', content: text('code') },
  { name: '.vendor_cert', content: text('certificate') },
  { name: '.sbat', content: text('sbat,1') },
];
const certificates = new Uint8Array(64).fill(0xce);
const signed = () => peFile(sections, certificates);
const malformed = expect.objectContaining({ code: 'PE_MALFORMED' }) as Error;

describe('Authenticode digest', () => {
  it('covers the file without its checksum, certificate entry and certificates', () => {
    const file = signed();
    const { checksum, certificateEntry } = PE_OFFSETS;
    const covered = [
      file.subarray(0, checksum),
      file.subarray(checksum + 4, certificateEntry),
      file.subarray(certificateEntry + 8, file.length - certificates.length),
    ];
    expect(authenticodeSha256(file)).toBe(createHash('sha256').update(Buffer.concat(covered)).digest('hex'));
  });

  it('stays the same when the file is signed again', () => {
    const again = peFile(sections, new Uint8Array(128).fill(0xaa));
    again.writeUInt32LE(0, PE_OFFSETS.checksum);
    expect(authenticodeSha256(again)).toBe(authenticodeSha256(signed()));
  });

  it('changes, or the file is refused, when any covered bit changes', () => {
    const original = authenticodeSha256(signed());
    const bits = fc.tuple(fc.nat({ max: signed().length - certificates.length - 1 }), fc.nat({ max: 7 }));
    fc.assert(
      fc.property(bits, ([at, bit]) => {
        const { checksum, certificateEntry } = PE_OFFSETS;
        if (at >= checksum && at < checksum + 4) return;
        if (at >= certificateEntry && at < certificateEntry + 8) return;
        const file = signed();
        file[at] = (file[at] ?? 0) ^ (1 << bit);
        expect(digestOrRefused(file)).not.toBe(original);
      }),
      { numRuns: 500 },
    );
  });
});

describe('sections', () => {
  it('are found by short and by long name, without their padding', () => {
    expect(readSection(signed(), '.vendor_cert')).toEqual(Buffer.from('certificate'));
    expect(readSection(signed(), '.sbat')).toEqual(Buffer.from('sbat,1'));
  });

  it.each([
    { name: 'missing', file: () => signed(), section: '.nothing' },
    { name: 'there twice', file: () => peFile([...sections, { name: '.sbat', content: text('x') }]), section: '.sbat' },
  ])('are refused when $name', ({ file, section }) => {
    expect(() => readSection(file(), section)).toThrow(
      expect.objectContaining({ code: 'PE_SECTION_MISSING' }) as Error,
    );
  });
});

describe('malformed files', () => {
  it('are refused at every length but the right one', () => {
    const file = signed();
    for (let length = 0; length < file.length; length += 1) {
      expect(() => authenticodeSha256(file.subarray(0, length)), `cut to ${length} bytes`).toThrow(malformed);
    }
    expect(() => authenticodeSha256(Buffer.concat([file, Uint8Array.of(0)]))).toThrow(malformed);
  });

  it.each([
    { name: 'no MZ', at: 0, value: 0 },
    { name: 'a PE header behind the end', at: 60, value: 0x7fff_ffff },
    { name: 'another optional header', at: 0x40 + 24, value: 0x10b },
    { name: 'headers larger than the file', at: 0x40 + 24 + 60, value: 0x7fff_ffff },
    { name: 'headers that cut the section table', at: 0x40 + 24 + 60, value: 0x40 },
    { name: 'too few data directories', at: 0x40 + 24 + 108, value: 4 },
    { name: 'a section over another', at: 0x40 + 24 + 240 + 40 + 20, value: PE_OFFSETS.headersSize },
    { name: 'a section larger than the file', at: 0x40 + 24 + 240 + 80 + 16, value: 0x7fff_ff00 },
  ])('are refused with $name', ({ at, value }) => {
    const file = signed();
    file.writeUInt32LE(value, at);
    expect(() => authenticodeSha256(file)).toThrow(malformed);
  });
});

function digestOrRefused(file: Uint8Array): string {
  try {
    return authenticodeSha256(file);
  } catch (error) {
    expect(error).toEqual(malformed);
    return 'refused';
  }
}
