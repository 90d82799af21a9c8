import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { EventType } from './event-types.ts';
import { parseEventLog } from './parse.ts';
import { extend, initialPcr, replayBank, unreplayableBanks } from './replay.ts';
import { agileLog, type RawEvent, text } from './testing/raw-log.ts';

const parse = (events: readonly RawEvent[], registers: 'pcr' | 'mr' = 'pcr') =>
  parseEventLog(agileLog(['sha1', 'sha256', 'sm3_256'], events), { padding: 'refuse', registers });
const replay = (events: readonly RawEvent[], registers: 'pcr' | 'mr' = 'pcr') =>
  replayBank(parse(events, registers), 'sha256', nodeAttestCrypto);
const action = (pcr: number, data = 'x'): RawEvent => ({ pcr, type: EventType.EFI_ACTION, data: text(data) });
const sha256 = (...parts: Uint8Array[]) =>
  new Uint8Array(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  );
const once = (start: Uint8Array, data = 'x') => sha256(start, sha256(text(data)));

describe('replay', () => {
  it('extends each register in the order of the log', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ pcr: fc.integer({ min: 0, max: 16 }), data: fc.string() })), (events) => {
        const expected = new Map<number, Uint8Array>();
        for (const { pcr, data } of events) expected.set(pcr, once(expected.get(pcr) ?? new Uint8Array(32), data));
        expect(replay(events.map(({ pcr, data }) => action(pcr, data)))?.pcrs).toEqual(expected);
      }),
    );
  });

  it('passes over NO_ACTION, whatever digest it carries', () => {
    expect(replay([{ pcr: 3, type: EventType.NO_ACTION, data: text('x') }])?.pcrs.size).toBe(0);
  });

  const ones = new Uint8Array(32).fill(0xff);
  const four = initialPcr(0, 'sha256', 4);
  it.each([
    { name: 'register 16 at zero', events: [action(16)], pcr: 16, value: once(new Uint8Array(32)) },
    { name: 'DRTM register 17 at ones', events: [action(17)], pcr: 17, value: once(ones) },
    { name: 'DRTM register 22 at ones', events: [action(22)], pcr: 22, value: once(ones) },
    { name: 'register 23 at zero', events: [action(23)], pcr: 23, value: once(new Uint8Array(32)) },
    {
      name: 'register 0 at locality 4 after an H-CRTM',
      events: [{ pcr: 0, type: EventType.EFI_HCRTM_EVENT, data: text('HCRTM') }],
      pcr: 0,
      value: once(four, 'HCRTM'),
    },
    {
      name: 'DRTM registers at zero after a TXT launch',
      events: [{ pcr: 17, type: EventType.TXT_HASH_START, data: text('y') }, action(18)],
      pcr: 18,
      value: once(new Uint8Array(32)),
    },
  ])('starts $name', ({ events, pcr, value }) => {
    expect(toHex(replay(events)?.pcrs.get(pcr) ?? new Uint8Array())).toBe(toHex(value));
  });

  it('starts every register of a confidential VM at zero', () => {
    expect(replay([{ pcr: 0, type: EventType.EFI_HCRTM_EVENT, data: text('x') }], 'mr')?.pcrs.get(0)).toEqual(
      once(new Uint8Array(32)),
    );
  });

  it('lists events without a digest of the bank', () => {
    const log = parse([action(0), { ...action(1), banks: ['sha1'] }]);
    expect(replayBank(log, 'sha256', nodeAttestCrypto)?.eventsWithoutDigest).toEqual([2]);
    expect(replayBank(log, 'sha1', nodeAttestCrypto)?.eventsWithoutDigest).toEqual([]);
  });

  it.each([
    { name: 'a bank that the log lacks', bank: 'sha384' },
    { name: 'a bank whose hash we cannot compute', bank: 'sm3_256' },
    { name: 'a name of the prototype', bank: 'constructor' },
  ])('has no answer for $name', ({ bank }) => {
    expect(replayBank(parse([action(0)]), bank, nodeAttestCrypto)).toBeNull();
  });

  it('names the banks that it must leave out', () => {
    expect(unreplayableBanks(parse([]))).toEqual(['sm3_256']);
  });
});

it('a register starts at its locality, ones or zeros, and one extend hashes value and digest', () => {
  expect(toHex(initialPcr(0, 'sha1', 3))).toBe(`${'00'.repeat(19)}03`);
  expect(toHex(initialPcr(20, 'sha1', 3))).toBe('ff'.repeat(20));
  const value = initialPcr(1, 'sha256');
  expect(extend(value, ones32, 'sha256', nodeAttestCrypto)).toEqual(sha256(value, ones32));
});
const ones32 = new Uint8Array(32).fill(1);
