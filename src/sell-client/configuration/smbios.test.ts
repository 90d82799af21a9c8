import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configurationInSmbios, oemStrings } from './smbios.ts';

const json = '{"broker":"https://b:42007","brokerPin":"x"}';
const encoded = Buffer.from(json).toString('base64url');

/** One structure: type, length, handle, formatted part, strings (DSP0134 §6.1). */
function structure(type: number, formatted: readonly number[], strings: readonly string[] = []): number[] {
  const text = strings.length === 0 ? [0, 0] : [...strings.flatMap((one) => [...Buffer.from(one), 0]), 0];
  return [type, 4 + formatted.length, 0, type, ...formatted, ...text];
}
const end = structure(127, []);
const table = (...structures: number[][]) => new Uint8Array([...structures, end].flat());
const oem = (...strings: string[]) => structure(11, [strings.length], strings);
const read = (bytes: Uint8Array) => {
  const found = configurationInSmbios(bytes);
  return found === null ? null : Buffer.from(found).toString();
};

describe('the configuration among SMBIOS OEM strings', () => {
  const system = structure(1, [1, 2, 0, 0], ['cpushare:not an OEM string', 'second']);

  it.each([
    { name: 'base64url', given: table(system, oem(`cpushare:${encoded}`)), found: json },
    {
      name: 'padded base64url',
      given: table(oem(`cpushare:${encoded}${'='.repeat(-encoded.length & 3)}`)),
      found: json,
    },
    { name: 'JSON itself', given: table(oem(`cpushare:${json}`)), found: json },
    { name: 'the third of a structure', given: table(oem('a', 'b', `cpushare:${encoded}`)), found: json },
    { name: 'in a second structure', given: table(oem('a'), system, oem(`cpushare:${encoded}`)), found: json },
    { name: 'a table without the end structure', given: table(oem(`cpushare:${encoded}`)).slice(0, -6), found: json },
    { name: 'none, as on a PC', given: table(system, oem('vendor word')), found: null },
    { name: 'only another prefix', given: table(oem(`cpushare${encoded}`, `CPUSHARE:${encoded}`)), found: null },
    { name: 'only behind the end', given: new Uint8Array([...end, ...oem(`cpushare:${encoded}`)]), found: null },
    { name: 'an empty table', given: new Uint8Array(), found: null },
  ])('$name', ({ given, found }) => {
    expect(read(given)).toBe(found);
  });

  it.each([
    { name: 'two of ours', given: table(oem('cpushare:e30', 'cpushare:e30')), code: 'CONFIGURATION_SMBIOS_TWICE' },
    { name: 'nothing behind the prefix', given: table(oem('cpushare:')), code: 'CONFIGURATION_ENCODING' },
    { name: 'plain base64', given: table(oem('cpushare:e+/w')), code: 'CONFIGURATION_ENCODING' },
    { name: 'base64url cut short', given: table(oem('cpushare:e30x0')), code: 'CONFIGURATION_ENCODING' },
    {
      name: 'far too long',
      given: table(oem(`cpushare:${'A'.repeat(140_000)}`)),
      code: 'CONFIGURATION_ENCODING',
    },
    { name: 'a header of 3 bytes', given: new Uint8Array([11, 3, 0, 0, 0, 0]), code: 'CONFIGURATION_SMBIOS_MALFORMED' },
    {
      name: 'a length past the table',
      given: new Uint8Array([1, 200, 0, 0, 0, 0]),
      code: 'CONFIGURATION_SMBIOS_MALFORMED',
    },
    {
      name: 'strings without an end',
      given: new Uint8Array(structure(11, [1], ['a']).slice(0, -1)),
      code: 'CONFIGURATION_SMBIOS_MALFORMED',
    },
  ])('refuses $name', ({ given, code }) => {
    expect(() => configurationInSmbios(given)).toThrow(expect.objectContaining({ code }));
  });

  it('cut at any length gives the same configuration, none, or a coded error', () => {
    const whole = table(system, oem('other', `cpushare:${encoded}`));
    for (let length = 0; length < whole.length; length += 1) {
      const outcome = (() => {
        try {
          return read(whole.slice(0, length));
        } catch (error) {
          return (error as { code: string }).code;
        }
      })();
      expect([null, json, 'CONFIGURATION_SMBIOS_MALFORMED']).toContain(outcome);
    }
  });

  it('finds the strings that were put in, whatever they are', () => {
    const word = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => bytes.map((byte) => byte || 1));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const text = [...words.flatMap((one) => [...one, 0]), 0];
        const given = new Uint8Array([11, 5, 0, 0, words.length, ...text, ...end]);
        expect(oemStrings(given).map((one) => [...one])).toEqual(words.map((one) => [...one]));
      }),
    );
  });
});
