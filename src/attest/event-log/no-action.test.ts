import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from './decode.ts';
import { detailOf } from './detail.ts';
import { EventType } from './event-types.ts';
import { guid, specId, text, u8, u32, utf16 } from './testing/raw-log.ts';

const G = '462caa21-7614-4503-836e-8ab6f4662331';
const event = (type: number, data: Uint8Array, pcr = 0) => ({ number: 1, pcr, type, data, digests: new Map() });
const detail = (type: number, data: Uint8Array, pcr = 0) => detailOf(event(type, data, pcr));

describe('what extends nothing', () => {
  const line = (value: string): Uint8Array => concatBytes(u8(value.length + 1), text(`${value}\0`));
  const identity = concatBytes(
    u32(11129),
    guid(G),
    line('Google'),
    line('GCE'),
    line(''),
    line('Google'),
    u32(11129),
    line('1.0'),
  );
  const variable = concatBytes(guid(G), utf16('FirmwareRIM\0'));
  const locators = concatBytes(u32(3), u32(variable.length), variable, u32(1), u32(9), text('https://x'));
  it.each([
    {
      name: 'Spec ID Event00',
      data: concatBytes(text('Spec ID Event00\0'), u32(0), Uint8Array.of(21, 1, 0, 1, 0)),
      fields: { versionMajor: 1, versionMinor: 21 },
    },
    {
      name: 'Spec ID Event02',
      data: concatBytes(text('Spec ID Event02\0'), u32(0), Uint8Array.of(2, 1, 0, 1, 1, 9)),
      fields: { vendorInfo: '09' },
    },
    { name: 'Spec ID Event03', data: specId(['sha1', 'sha256']), fields: { banks: 'sha1 sha256', versionMajor: 2 } },
    { name: 'StartupLocality', data: concatBytes(text('StartupLocality\0'), u8(3)), fields: { locality: 3 } },
    {
      name: 'SP800-155 Event',
      data: concatBytes(text('SP800-155 Event\0'), u32(1), guid(G)),
      fields: { vendorId: 1, referenceManifestGuid: G },
    },
    {
      name: 'SP800-155 Event2',
      data: concatBytes(text('SP800-155 Event2'), identity),
      fields: { platformManufacturer: 'Google', platformModel: 'GCE', firmwareVersion: '1.0' },
    },
    {
      name: 'SP800-155 Event3',
      data: concatBytes(text('SP800-155 Event3'), identity, locators),
      fields: {
        referenceManifestLocatorType: 'variable',
        referenceManifestLocator: `FirmwareRIM-${G}`,
        platformCertificateLocatorType: 'uri',
        platformCertificateLocator: 'https://x',
      },
    },
    {
      name: 'H-CRTM CompMeas',
      data: concatBytes(text('H-CRTM CompMeas\0'), line('ACM'), u8(0), u8(2), fromHex('abcd')),
      fields: { description: 'ACM', measurement: 'abcd' },
    },
    { name: 'Made up yesterda', data: text('Made up yesterday'), fields: {} },
  ])('$name', ({ name, data, fields }) => {
    expect(detail(EventType.NO_ACTION, data)).toMatchObject({ kind: 'information', information: { name, fields } });
  });

  it.each([
    { name: 'cut short', data: concatBytes(text('SP800-155 Event3'), identity, locators.subarray(0, -1)) },
    { name: 'without a signature', data: fromHex('00'.repeat(20)) },
    { name: 'of 15 bytes', data: text('StartupLocality') },
  ])('$name: opaque', ({ data }) => expect(detail(EventType.NO_ACTION, data).kind).toBe('opaque'));

  it('is never bound, be its digest what it may', () => {
    const data = text('StartupLocality\0\x03');
    const digests = new Map([['sha256', nodeAttestCrypto.hash('sha256', data)]]);
    const decoded = decodeEvent({ ...event(EventType.NO_ACTION, data), digests }, 'sha256', nodeAttestCrypto);
    expect(decoded).toMatchObject({ trust: 'unproven', boundBy: null });
  });
});
