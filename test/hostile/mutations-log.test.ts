/**
 * Whole events dropped, doubled, reordered, relabelled, moved, or changed behind their digest. What may pass without
 * refusal, since no digest covers it: an event's type, data that its digest does not bind, the order of events of
 * different registers, NO_ACTION events, and events of registers outside the quote. None of these may change what is said.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appraise } from '../../src/attest/appraise.ts';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import { EventType } from '../../src/attest/event-log/event-types.ts';
import { parseEventLog } from '../../src/attest/event-log/parse.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import { loadFixture } from '../fixtures/load.ts';
import * as surgery from './log-surgery.ts';
import { evidence as made, expected as madeExpected } from './made-evidence.ts';
import { saysMore } from './said.ts';

const recording = loadFixture('p256');
const subjects = [
  { name: 'our recording', evidence: recording.report.evidence, expected: recording.expected() },
  { name: 'a made boot', evidence: made, expected: madeExpected },
];
const TYPES = Object.values(EventType);
const LONG = 60_000;

describe.each(subjects)('event log of $name', ({ evidence, expected }) => {
  const genuine = appraise(evidence, expected, crypto);
  const { header, events } = surgery.cutEventLog(evidence.eventLog);
  const parsed = parseEventLog(evidence.eventLog, { padding: 'refuse' }).events.slice(1);
  const judge = (changed: readonly Uint8Array[]) =>
    appraise({ ...evidence, eventLog: surgery.joinEventLog({ header, events: changed }) }, expected, crypto);
  const extended = [...events.keys()].filter((index) => parsed[index]?.type !== EventType.NO_ACTION);
  const harmless = (changed: readonly Uint8Array[], what: string): void => {
    const verdict = judge(changed);
    if (verdict.status === 'accepted') expect(saysMore(verdict, genuine), what).toBeNull();
  };

  it('is taken apart and put together to the same bytes', () => {
    expect(surgery.joinEventLog({ header, events })).toEqual(Uint8Array.from(evidence.eventLog));
    expect(genuine.status).toBe('accepted');
  });

  it('a dropped or doubled event is refused', { timeout: LONG }, () => {
    for (const index of extended) {
      expect(judge(events.toSpliced(index, 1)).status, `event ${index} dropped`).toBe('refused');
      expect(judge(events.toSpliced(index, 0, events[index] ?? header)).status, `event ${index} doubled`).toBe(
        'refused',
      );
    }
  });

  it('two events of one register in the other order are refused unless they are equal', { timeout: LONG }, () => {
    for (const [a, first] of events.entries()) {
      const b = events.findIndex((event, at) => at > a && surgery.registerOf(event) === surgery.registerOf(first));
      const second = events[b];
      if (second === undefined || parsed[a]?.type === EventType.NO_ACTION || parsed[b]?.type === EventType.NO_ACTION)
        continue;
      const digests = [a, b].map((at) => Buffer.from(parsed[at]?.digests.get('sha256') ?? []).toString('hex'));
      const verdict = judge(events.with(a, second).with(b, first));
      if (digests[0] === digests[1]) harmless(events.with(a, second).with(b, first), `events ${a} and ${b}`);
      else expect(verdict.status, `events ${a} and ${b}`).toBe('refused');
    }
  });

  it('an event moved to another register is refused', { timeout: LONG }, () => {
    for (const index of extended) {
      const event = events[index] ?? header;
      for (const pcr of [0, 4, 7, 8, 11, 16, 23]) {
        if (surgery.registerOf(event) === pcr) continue;
        expect(judge(events.with(index, surgery.withRegister(event, pcr))).status, `event ${index} to ${pcr}`).toBe(
          'refused',
        );
      }
    }
  });

  it('an event under another type passes only when nothing that is said changes', { timeout: LONG }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...extended), fc.constantFrom(...TYPES, 0x1234, 0xffffffff), (index, type) => {
        harmless(events.with(index, surgery.withType(events[index] ?? header, type)), `event ${index} as ${type}`);
      }),
      { numRuns: 600 },
    );
  });

  it('data changed while the digest is kept passes only when nothing that is said changes', { timeout: LONG }, () => {
    const withData = extended.filter((index) => (parsed[index]?.data.length ?? 0) > 0);
    fc.assert(
      fc.property(fc.constantFrom(...withData), fc.nat(), fc.integer({ min: 1, max: 255 }), (index, at, mask) => {
        const size = parsed[index]?.data.length ?? 1;
        const changed = surgery.withDataByte(events[index] ?? header, size, at % size, mask);
        harmless(events.with(index, changed), `event ${index} byte ${at % size} mask ${mask}`);
      }),
      { numRuns: 600 },
    );
  });

  it('several changes at once: refused, or nothing that is said changes', { timeout: LONG }, () => {
    const index = fc.nat(events.length - 1);
    const change = fc.oneof(
      fc.record({ kind: fc.constant('drop' as const), index }),
      fc.record({ kind: fc.constant('double' as const), index }),
      fc.record({ kind: fc.constant('move' as const), index, to: index }),
      fc.record({ kind: fc.constant('type' as const), index, type: fc.constantFrom(...TYPES) }),
      fc.record({ kind: fc.constant('register' as const), index, pcr: fc.nat(23) }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let changed = [...events];
        for (const each of changes) {
          const at = each.index % Math.max(1, changed.length);
          const event = changed[at];
          if (event === undefined) continue;
          if (each.kind === 'drop') changed = changed.toSpliced(at, 1);
          if (each.kind === 'double') changed = changed.toSpliced(at, 0, event);
          if (each.kind === 'move') changed = changed.toSpliced(at, 1).toSpliced(each.to, 0, event);
          if (each.kind === 'type') changed = changed.with(at, surgery.withType(event, each.type));
          if (each.kind === 'register') changed = changed.with(at, surgery.withRegister(event, each.pcr));
        }
        harmless(changed, JSON.stringify(changes));
      }),
      { numRuns: 500 },
    );
  });
});

describe.each(subjects)('IMA log of $name', ({ evidence, expected }) => {
  const entries = surgery.cutImaLog(evidence.imaLog);
  const status = (changed: readonly Uint8Array[]): string =>
    appraise({ ...evidence, imaLog: concatBytes(...changed) }, expected, crypto).status;

  it('is taken apart and put together to the same bytes', () => {
    expect(concatBytes(...entries)).toEqual(Uint8Array.from(evidence.imaLog));
    expect(status(entries)).toBe('accepted');
  });

  it('an entry dropped, doubled, swapped with the next or moved to another register is refused', () => {
    for (const [index, entry] of entries.entries()) {
      expect(status(entries.toSpliced(index, 1)), `entry ${index} dropped`).toBe('refused');
      const next = entries[index + 1];
      if (next !== undefined) {
        expect(status(entries.toSpliced(index, 0, entry)), `entry ${index} doubled`).toBe('refused');
        expect(status(entries.with(index, next).with(index + 1, entry)), `entry ${index} swapped`).toBe('refused');
      }
      expect(status(entries.with(index, surgery.withU32(entry, 0, 11))), `entry ${index} moved`).toBe('refused');
    }
  });

  it('entries behind the quote are not judged and change nothing', () => {
    const genuine = appraise(evidence, expected, crypto);
    const longer = concatBytes(...entries, ...entries.slice(1));
    const verdict = appraise({ ...evidence, imaLog: longer }, expected, crypto);
    expect(verdict.status).toBe('accepted');
    expect(saysMore(verdict, genuine)).toBeNull();
  });
});
