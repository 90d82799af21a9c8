import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IcuDataError, keepIcuItems } from './icu-data.ts';
import { icuLibrary } from './testing/icu-library.ts';

const text = (words: string) => new TextEncoder().encode(words);
const library = icuLibrary({
  'coll/root.res': text('collation of the root'),
  'de.res': text('Deutsch, vierzig Zeichen lang und mehr..'),
  'en.res': text('English'),
  'uts46.nrm': text('names of hosts'),
});

describe('keepIcuItems', () => {
  it('keeps what matches byte for byte, gives the rest back as zeros, and changes nothing around the data', () => {
    const lean = Buffer.from(keepIcuItems(library, ['en.res', '**/root.res']));
    expect(lean).toHaveLength(library.length);
    expect(lean.includes('English')).toBe(true);
    expect(lean.includes('collation of the root')).toBe(true);
    expect(lean.includes('Deutsch')).toBe(false);
    expect(lean.includes('icudt76l/de.res')).toBe(false);
    const tail = library.indexOf('\0icudt76_dat');
    expect(lean.subarray(tail)).toEqual(library.subarray(tail));
    expect(lean.subarray(0, 64)).toEqual(library.subarray(0, 64));
  });

  it('makes a library that it can read again: the same choice changes nothing', () => {
    const once = keepIcuItems(library, ['en.res', 'coll/*', '*.nrm']);
    expect(keepIcuItems(once, ['**'])).toEqual(once);
  });

  it('refuses a name that the data does not hold, so that a new ICU cannot lose an item silently', () => {
    expect(() => keepIcuItems(library, ['en.res', 'fr.res'])).toThrow(
      expect.objectContaining({ code: 'ICU_ITEM_UNKNOWN', message: expect.stringContaining('fr.res') }),
    );
  });

  it.each([
    { name: 'no ELF', bytes: text('#!/bin/sh') },
    { name: 'no package', bytes: Buffer.from(library).fill(0, 64, 96) },
    {
      name: 'no symbol',
      bytes: Buffer.from(library.toString('latin1').replace('\0icudt76_dat', '\0icudt76_xxx'), 'latin1'),
    },
  ])('refuses $name', ({ bytes }) => {
    expect(() => keepIcuItems(bytes, ['**'])).toThrow(expect.objectContaining({ code: 'ICU_DATA_MALFORMED' }));
  });

  it('answers damaged libraries with a library of the same length or a coded error', () => {
    const anywhere = fc.nat({ max: library.length - 1 });
    fc.assert(
      fc.property(anywhere, fc.integer({ min: 0, max: 255 }), fc.nat({ max: library.length }), (at, value, cut) => {
        const damaged = Uint8Array.from(library.subarray(0, cut));
        if (at < damaged.length) damaged[at] = value;
        try {
          expect(keepIcuItems(damaged, ['en.res'])).toHaveLength(damaged.length);
        } catch (error) {
          expect(error).toBeInstanceOf(IcuDataError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
