import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfiguration } from './parse-configuration.ts';

const pin = 'ab'.repeat(32);
const bytes = (text: string) => new TextEncoder().encode(text);
const file = (value: object) => bytes(JSON.stringify(value));

describe('parseConfiguration', () => {
  it('takes what the broker prints, also with a byte order mark and Windows line ends', () => {
    const text = `\uFEFF{\r\n  "broker": "https://10.0.2.2:42007",\r\n  "brokerPin": "${pin}"\r\n}\r\n`;
    expect(parseConfiguration(bytes(text))).toEqual({ broker: 'https://10.0.2.2:42007', brokerPin: pin });
  });

  it.each([
    { name: 'a passphrase', wifi: { networkName: 'ü'.repeat(16), key: 'correct horse' } },
    {
      name: 'a computed key, and a network without a name',
      wifi: { networkName: 'n', key: '0f'.repeat(32), hidden: true },
    },
  ])('takes a Wi-Fi network with $name', ({ wifi }) => {
    expect(parseConfiguration(file({ broker: 'https://b:1', brokerPin: pin, wifi })).wifi).toEqual(wifi);
  });

  it('takes Wi-Fi from a volume only, and repeats no key in a complaint', () => {
    const wifi = { networkName: 'home', key: 'secret words' };
    const configuration = file({ broker: 'https://b:1', brokerPin: pin, wifi });
    const complaint = {
      code: 'CONFIGURATION_INVALID',
      message: 'SMBIOS: line 1: "wifi" is only taken from a volume with cpushare.json',
    };
    expect(() => parseConfiguration(configuration, 'SMBIOS')).toThrow(expect.objectContaining(complaint));
  });

  it.each([
    {
      name: 'a forgotten comma',
      bytes: bytes('{\n  "broker": "https://b:1"\n  "brokerPin": ""\n}'),
      code: 'CONFIGURATION_NOT_JSON',
      says: 'line 3, column 3',
    },
    { name: 'an empty file', bytes: bytes(''), code: 'CONFIGURATION_NOT_JSON', says: 'ends too early' },
    { name: 'UTF-16', bytes: new Uint8Array([0xff, 0xfe, 0x7b, 0x00]), code: 'CONFIGURATION_NOT_TEXT', says: 'UTF-8' },
    { name: 'a list', bytes: bytes('[]'), code: 'CONFIGURATION_INVALID', says: 'one object' },
    {
      name: 'a misspelt key',
      bytes: file({ broker: 'https://b:1', brokerpin: pin }),
      code: 'CONFIGURATION_INVALID',
      says: '"brokerpin"',
    },
    {
      name: 'a missing key',
      bytes: file({ broker: 'https://b:1' }),
      code: 'CONFIGURATION_INVALID',
      says: '"brokerPin" is missing',
    },
    {
      name: 'plain http',
      bytes: file({ broker: 'http://b:1', brokerPin: pin }),
      code: 'CONFIGURATION_INVALID',
      says: '"broker" must be',
    },
    {
      name: 'a path',
      bytes: file({ broker: 'https://b:1/x', brokerPin: pin }),
      code: 'CONFIGURATION_INVALID',
      says: '"broker" must be',
    },
    {
      name: 'a password',
      bytes: file({ broker: 'https://a@b:1', brokerPin: pin }),
      code: 'CONFIGURATION_INVALID',
      says: '"broker" must be',
    },
    {
      name: 'a Wi-Fi key that is too short',
      bytes: bytes(`{"broker":"https://b:1","brokerPin":"${pin}",\n"wifi":{"networkName":"n","key":"short"}}`),
      code: 'CONFIGURATION_INVALID',
      says: 'line 2: "wifi" must be',
    },
    {
      name: 'a network name of more than 32 bytes',
      bytes: file({
        broker: 'https://b:1',
        brokerPin: pin,
        wifi: { networkName: 'ü'.repeat(17), key: 'correct horse' },
      }),
      code: 'CONFIGURATION_INVALID',
      says: '"wifi" must be',
    },
    {
      name: 'a line break in a key',
      bytes: file({ broker: 'https://b:1', brokerPin: pin, wifi: { networkName: 'n', key: 'correct\nhorse' } }),
      code: 'CONFIGURATION_INVALID',
      says: '"wifi" must be',
    },
    {
      name: 'a key given twice, and says on which line',
      bytes: bytes(`{\n"broker": "https://b:1",\n"brokerPin": "${pin}",\n"broker": "https://evil:1"}`),
      code: 'CONFIGURATION_INVALID',
      says: 'line 4: the key "broker" is given twice',
    },
    {
      name: 'a wrong value, and says on which line',
      bytes: bytes(`{\n"broker": "https://b:1",\n"brokerPin": 7}`),
      code: 'CONFIGURATION_INVALID',
      says: 'line 3: "brokerPin" must be',
    },
    {
      name: 'what would be kernel parameters or code, by key and line',
      bytes: file({ broker: 'https://b:1', brokerPin: pin, kernelCommandLine: 'init=/bin/sh' }),
      code: 'CONFIGURATION_INVALID',
      says: 'line 1: the key "kernelCommandLine" is not known',
    },
    { name: 'a prototype', bytes: bytes(`{"__proto__":{}}`), code: 'CONFIGURATION_INVALID', says: '"__proto__"' },
    {
      name: 'a short pin',
      bytes: file({ broker: 'https://b:1', brokerPin: 'ab' }),
      code: 'CONFIGURATION_INVALID',
      says: '64 lower-case hex',
    },
  ])('refuses $name and says where', ({ bytes: given, code, says }) => {
    expect(() => parseConfiguration(given)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(says) }),
    );
  });

  it('gives nothing but what the schema names: no value can become code or a parameter', () => {
    const given = parseConfiguration(file({ broker: 'https://b:1', brokerPin: pin }));
    expect(Object.keys(given).sort()).toEqual(['broker', 'brokerPin']);
  });

  it('calls its source by the name it was given', () => {
    expect(() => parseConfiguration(bytes('{'), 'SMBIOS OEM string')).toThrow(/^SMBIOS OEM string is not JSON/);
  });

  it('ends in a value or a coded error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (given) => {
        expect(() => parseConfiguration(given)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^CONFIGURATION_/) }),
        );
      }),
    );
  });
});
