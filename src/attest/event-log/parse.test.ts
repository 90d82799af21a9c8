import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import { EventType } from './event-types.ts';
import { LogError } from './little-endian.ts';
import { parseEventLog } from './parse.ts';
import {
  ALGORITHMS,
  agileEvent,
  agileLog,
  type Bank,
  type RawEvent,
  sha1Event,
  specId,
  text,
  u16,
  u32,
} from './testing/raw-log.ts';
import { ALL_WORKAROUNDS } from './workarounds.ts';

const separator = (pcr: number) => ({ pcr, type: EventType.SEPARATOR, data: new Uint8Array(4) });
const strict = { padding: 'refuse' } as const;
const noAction = (data: Uint8Array, pcr = 0) => ({ pcr, type: EventType.NO_ACTION, data });
const locality = (value: number) => concatBytes(text('StartupLocality\0'), Uint8Array.of(value));

describe('a crypto-agile log', () => {
  it('may have any set of banks, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.keys(ALGORITHMS) as Bank[], { minLength: 1 }), (banks) => {
        const log = parseEventLog(agileLog(banks, [separator(0), separator(7)]), strict);
        expect(log).toMatchObject({
          format: 'crypto-agile',
          registers: 'pcr',
          banks,
          paddingBytes: 0,
          workarounds: [],
        });
        expect([...(log.events[1]?.digests.keys() ?? [])]).toEqual(banks);
        expect(log.events.map(({ number }) => number)).toEqual([0, 1, 2]);
      }),
    );
  });

  it('may have events without some of its banks', () => {
    const log = parseEventLog(agileLog(['sha1', 'sha256'], [{ ...separator(0), banks: ['sha256'] }]), strict);
    expect([...(log.events[1]?.digests.keys() ?? [])]).toEqual(['sha256']);
  });

  it('may name an algorithm that is not known here', () => {
    const header = concatBytes(specId([]).subarray(0, 24), u32(1), u16(0x0099), u16(24), Uint8Array.of(0));
    const event = concatBytes(
      u32(0),
      u32(EventType.SEPARATOR),
      u32(1),
      u16(0x0099),
      new Uint8Array(24),
      u32(1),
      u32(0),
    );
    const bytes = concatBytes(sha1Event(noAction(header)), event.subarray(0, -3));
    expect(parseEventLog(bytes, strict).banks).toEqual(['alg_0x0099']);
  });

  it('keeps the vendor information of its header', () => {
    const { specId: header } = parseEventLog(agileLog(['sha256'], [], specId(['sha256'], text('ACME'))), strict);
    expect(header).toMatchObject({ platformClass: 0, versionMajor: 2, versionMinor: 0, errata: 0, uintnSize: 2 });
    expect(header?.vendorInfo).toEqual(text('ACME'));
  });
});

describe('a SHA-1 log', () => {
  it.each([
    { name: 'without a header', first: separator(0) },
    { name: 'headed Spec ID Event00', first: noAction(concatBytes(text('Spec ID Event00\0'), new Uint8Array(9))) },
    { name: 'headed Spec ID Event02', first: noAction(concatBytes(text('Spec ID Event02\0'), new Uint8Array(9))) },
  ])('$name', ({ first }) => {
    const log = parseEventLog(concatBytes(sha1Event(first), sha1Event(separator(1))), strict);
    expect(log).toMatchObject({ format: 'sha1', banks: ['sha1'], specId: null });
    expect(log.events).toHaveLength(2);
  });
});

describe('what cannot be', () => {
  const event = agileEvent({ ...separator(0), banks: ['sha256'] });
  const header = sha1Event(noAction(specId(['sha256'])));
  const withHeader = (data: Uint8Array) => sha1Event(noAction(data));
  const good = specId(['sha256']);
  it.each([
    { name: 'nothing at all', bytes: new Uint8Array(), code: 'LOG_TRUNCATED' },
    { name: 'more than 10 MiB', bytes: new Uint8Array(10 * 1024 * 1024 + 1), code: 'LOG_TOO_LARGE' },
    { name: 'register 24', bytes: concatBytes(header, u32(24), event.subarray(4)), code: 'LOG_EVENT_BAD' },
    {
      name: 'more digests than banks',
      bytes: concatBytes(header, agileEvent({ ...separator(0), banks: ['sha256', 'sha1'] })),
      code: 'LOG_DIGESTS_BAD',
    },
    {
      name: 'four thousand million digests',
      bytes: concatBytes(header, event.subarray(0, 8), u32(0xffffffff), event.subarray(12)),
      code: 'LOG_DIGESTS_BAD',
    },
    {
      name: 'a digest of a bank that the header does not name',
      bytes: concatBytes(header, agileEvent({ ...separator(0), banks: ['sha1'] })),
      code: 'LOG_ALGORITHM_UNKNOWN',
    },
    {
      name: 'the same bank twice',
      bytes: concatBytes(
        withHeader(specId(['sha1', 'sha256'])),
        agileEvent({ ...separator(0), banks: ['sha1', 'sha1'] }),
      ),
      code: 'LOG_DIGESTS_BAD',
    },
    {
      name: 'an event size past the end',
      bytes: concatBytes(header, event.subarray(0, -8), u32(5), u32(0)),
      code: 'LOG_TRUNCATED',
    },
    {
      name: 'no bank',
      bytes: withHeader(concatBytes(good.subarray(0, 24), u32(0), Uint8Array.of(0))),
      code: 'LOG_HEADER_BAD',
    },
    {
      name: 'four thousand million banks',
      bytes: withHeader(concatBytes(good.subarray(0, 24), u32(0xffffffff))),
      code: 'LOG_HEADER_BAD',
    },
    {
      name: 'sha256 of 20 bytes',
      bytes: withHeader(concatBytes(good.subarray(0, 30), u16(20), Uint8Array.of(0))),
      code: 'LOG_HEADER_BAD',
    },
    { name: 'sha256 named twice', bytes: withHeader(specId(['sha256', 'sha256'])), code: 'LOG_HEADER_BAD' },
    {
      name: 'bytes behind the vendor information',
      bytes: withHeader(concatBytes(good, Uint8Array.of(1))),
      code: 'LOG_HEADER_BAD',
    },
    { name: 'padding', bytes: concatBytes(header, event, new Uint8Array(64)), code: 'LOG_TRAILING_BYTES' },
    {
      name: 'padding of ff',
      bytes: concatBytes(header, event, new Uint8Array(3).fill(0xff)),
      code: 'LOG_TRAILING_BYTES',
    },
    {
      name: 'more than 20000 events',
      bytes: concatBytes(header, ...Array.from({ length: 20_000 }, () => event)),
      code: 'LOG_TOO_LARGE',
    },
  ])('$name is refused as $code', ({ bytes, code }) => {
    expect(() => parseEventLog(bytes, strict)).toThrow(expect.objectContaining({ code }));
  });

  it('bytes at random are a log or a coded error', () => {
    const start = agileLog(['sha1', 'sha256'], []);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, afterHeader) => {
        try {
          parseEventLog(afterHeader ? concatBytes(start, noise) : noise, { padding: 'allow' });
        } catch (error) {
          expect(error).toBeInstanceOf(LogError);
        }
      }),
    );
  });
});

describe('padding', () => {
  it.each([0x00, 0xff])('of %i is counted where it is allowed', (value) => {
    const bytes = concatBytes(agileLog(['sha384'], [separator(1)]), new Uint8Array(1000).fill(value));
    const log = parseEventLog(bytes, { padding: 'allow', registers: 'mr' });
    expect(log).toMatchObject({ paddingBytes: 1000, registers: 'mr' });
    expect(log.events).toHaveLength(2);
  });

  it('is not what an event ends with', () => {
    const log = parseEventLog(agileLog(['sha256'], [separator(0)]), strict);
    expect(log.events[1]?.data).toEqual(new Uint8Array(4));
  });

  it('does not begin before an event, however many zeros that begins with', () => {
    const zeros = new Uint8Array(16 * 1000); // each 16 of them an event without digests and data
    const log = parseEventLog(concatBytes(agileLog(['sha256'], []), zeros, agileEvent(separator(1))), strict);
    expect(log.events).toHaveLength(1002);
  });
});

describe('the log of a confidential VM', () => {
  it('has registers 0 to 4 and no start-up locality', () => {
    const bytes = agileLog(['sha384'], [noAction(locality(3)), separator(4)]);
    expect(parseEventLog(bytes, { padding: 'refuse', registers: 'mr' }).startupLocality).toBe(0);
    const fifth = agileLog(['sha384'], [separator(5)]);
    expect(() => parseEventLog(fifth, { padding: 'refuse', registers: 'mr' })).toThrow(
      expect.objectContaining({ code: 'LOG_EVENT_BAD' }),
    );
  });
});

describe('where register 0 starts', () => {
  const hcrtm = { pcr: 0, type: EventType.EFI_HCRTM_EVENT, data: text('HCRTM') };
  it.each([
    { name: 'at 0 without a word', events: [separator(0)], starts: 0 },
    { name: 'at 0 when stated', events: [noAction(locality(0)), separator(0)], starts: 0 },
    { name: 'at 3 when stated', events: [noAction(locality(3)), separator(0)], starts: 3 },
    { name: 'at 3 when stated after other registers', events: [separator(1), noAction(locality(3))], starts: 3 },
    { name: 'at 4 after an H-CRTM', events: [hcrtm, separator(0)], starts: 4 },
    { name: 'at 4 after an H-CRTM, whatever is stated', events: [noAction(locality(3)), hcrtm], starts: 4 },
    { name: 'at 0 when an H-CRTM comes too late to be one', events: [separator(0), hcrtm], starts: 0 },
    { name: 'at 0 when an H-CRTM names another register', events: [{ ...hcrtm, pcr: 1 }], starts: 0 },
  ])('$name', ({ events, starts }) => {
    expect(parseEventLog(agileLog(['sha256'], events), strict).startupLocality).toBe(starts);
  });

  const bad = (...events: RawEvent[]) => agileLog(['sha256'], events);
  it.each([
    { name: 'two of them', bytes: bad(noAction(locality(3)), noAction(locality(3))) },
    { name: 'one for register 1', bytes: bad(noAction(locality(3), 1)) },
    { name: 'one after register 0 was extended', bytes: bad(separator(0), noAction(locality(3))) },
    { name: 'locality 2', bytes: bad(noAction(locality(2))) },
    { name: 'no locality', bytes: bad(noAction(text('StartupLocality\0'))) },
    { name: 'zeros behind it, unless allowed', bytes: bad(noAction(concatBytes(locality(3), new Uint8Array(3)))) },
    { name: 'more than zeros behind it', bytes: bad(noAction(concatBytes(locality(3), Uint8Array.of(1)))), all: true },
  ])('refuses $name', ({ bytes, all }) => {
    const workarounds = all === true ? ALL_WORKAROUNDS : [];
    expect(() => parseEventLog(bytes, { padding: 'refuse', workarounds })).toThrow(
      expect.objectContaining({ code: 'LOG_STARTUP_LOCALITY_BAD' }),
    );
  });
});

describe('workarounds', () => {
  const padded = agileLog(['sha256'], [noAction(concatBytes(locality(3), new Uint8Array(3)))]);
  const vendorOutside = concatBytes(
    sha1Event(noAction(specId(['sha256'], text('ACME'), new Uint8Array()))),
    text('ACME'),
    agileEvent({ ...separator(0), banks: ['sha256'] }),
  );

  it.each([
    { name: 'startup-locality-padded', bytes: padded } as const,
    { name: 'spec-id-vendor-info-outside', bytes: vendorOutside } as const,
  ])('$name is used only when allowed, and named', ({ name, bytes }) => {
    expect(() => parseEventLog(bytes, strict)).toThrow(LogError);
    const log = parseEventLog(bytes, { padding: 'refuse', workarounds: [name] });
    expect(log.workarounds).toEqual([name]);
    expect(log.events).toHaveLength(2);
  });

  it('that were allowed and not needed are not named', () => {
    const log = parseEventLog(agileLog(['sha256'], [separator(0)]), {
      padding: 'refuse',
      workarounds: ALL_WORKAROUNDS,
    });
    expect(log.workarounds).toEqual([]);
  });
});
