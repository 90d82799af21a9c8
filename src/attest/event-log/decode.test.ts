import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from './decode.ts';
import { describeEvent } from './describe.ts';
import { detailJson } from './detail-json.ts';
import { EventType } from './event-types.ts';
import { guid, text, u64, utf16 } from './testing/raw-log.ts';

const G = '462caa21-7614-4503-836e-8ab6f4662331';
const event = (type: number, data: Uint8Array, pcr = 0) => ({ number: 1, pcr, type, data, digests: new Map() });

describe('any event', () => {
  it('is decoded, described and written as JSON without a throw', () => {
    const types = Object.values(EventType);
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.integer({ min: 0, max: 23 }),
        fc.uint8Array({ maxLength: 200 }),
        (type, pcr, data) => {
          const decoded = decodeEvent(event(type, data, pcr), 'sha256', nodeAttestCrypto);
          expect(decoded.trust).toBe('unproven');
          expect(typeof describeEvent(decoded)).toBe('string');
          expect(JSON.parse(JSON.stringify(detailJson(decoded)))).toHaveProperty('kind');
        },
      ),
    );
  });
});

describe('binding', () => {
  const decoded = (type: number, data: Uint8Array, measured: Uint8Array, pcr = 7) => {
    const digests = new Map([['sha256', nodeAttestCrypto.hash('sha256', measured)]]);
    return decodeEvent({ ...event(type, data, pcr), digests }, 'sha256', nodeAttestCrypto);
  };
  const variable = concatBytes(guid(G), u64(2n), u64(3n), utf16('db'), text('abc'));
  const oldShim = concatBytes(variable, new Uint8Array(6));
  const command = text('grub_cmd: boot\0');
  it.each([
    {
      name: 'the whole variable',
      type: 'EFI_VARIABLE_DRIVER_CONFIG',
      data: variable,
      measured: variable,
      boundBy: 'data',
    },
    {
      name: 'a configuration variable’s value alone',
      type: 'EFI_VARIABLE_DRIVER_CONFIG',
      data: variable,
      measured: text('abc'),
      boundBy: null,
    },
    {
      name: 'a boot variable’s value alone',
      type: 'EFI_VARIABLE_BOOT',
      data: variable,
      measured: text('abc'),
      boundBy: 'value',
    },
    {
      name: 'a new boot variable’s value alone',
      type: 'EFI_VARIABLE_BOOT2',
      data: variable,
      measured: text('abc'),
      boundBy: null,
    },
    {
      name: 'an old shim’s authority',
      type: 'EFI_VARIABLE_AUTHORITY',
      data: oldShim,
      measured: oldShim.subarray(0, -1),
      boundBy: 'cut-data',
    },
    {
      name: 'a new shim’s authority, cut',
      type: 'EFI_VARIABLE_AUTHORITY',
      data: variable,
      measured: variable.subarray(0, -1),
      boundBy: null,
    },
    { name: 'a GRUB command', type: 'IPL', data: command, measured: text('boot'), boundBy: 'body' },
    { name: 'a GRUB command with its NUL', type: 'IPL', data: command, measured: text('boot\0'), boundBy: 'body' },
    { name: 'a GRUB command with its prefix', type: 'IPL', data: command, measured: command, boundBy: null },
    {
      name: 'an image, whose digest is of the image',
      type: 'EFI_BOOT_SERVICES_APPLICATION',
      data: command,
      measured: command,
      boundBy: null,
    },
    { name: 'other data', type: 'EFI_ACTION', data: text('a'), measured: text('b'), boundBy: null },
  ] as const)('$name: $boundBy', ({ type, data, measured, boundBy }) => {
    expect(decoded(EventType[type], data, measured)).toMatchObject({
      boundBy,
      trust: boundBy === null ? 'unproven' : 'bound',
    });
  });

  it('needs a digest of the bank that is asked for', () => {
    const sha1Only = { ...event(EventType.EFI_ACTION, text('a')), digests: new Map([['sha1', new Uint8Array(20)]]) };
    expect(decodeEvent(sha1Only, 'sha256', nodeAttestCrypto).trust).toBe('unproven');
  });
});
