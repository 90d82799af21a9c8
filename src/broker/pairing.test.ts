import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { USER_CODE_LETTERS } from '../protocol/pairing-messages.ts';
import {
  isOpen,
  judgePoll,
  MAX_LOOKS,
  newUserCode,
  type Pairing,
  POLL_INTERVAL_SECONDS,
  readUserCode,
  verificationUris,
} from './pairing.ts';

const now = new Date('2026-11-21T00:00:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const waiting: Pairing = {
  machineId: 'ab'.repeat(32),
  lasting: true,
  facts: { cpuModel: 'a processor', memoryBytes: 2 ** 30, bootMode: 'uefi', clientVersion: '0.1.0' },
  address: '192.0.2.1',
  state: 'waiting',
  account: null,
  looks: 0,
  intervalSeconds: POLL_INTERVAL_SECONDS,
  polledAt: null,
  expiresAt: later(900),
};

describe('a user code', () => {
  it('is eight of the twenty letters, each of them as likely', () => {
    const counts = new Map<string, number>();
    const total = 5000;
    for (let i = 0; i < total; i += 1) {
      const code = newUserCode();
      expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      for (const letter of code.replace('-', '')) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    expect(counts.size).toBe(20);
    // 2000 each; ten standard deviations of 44.
    for (const count of counts.values()) expect(Math.abs(count - (total * 8) / 20)).toBeLessThan(440);
  });

  it('is read however a person types it', () => {
    const letter = fc.constantFrom(...USER_CODE_LETTERS);
    const noise = fc.constantFrom('', ' ', '-', '–', '  ', '.');
    fc.assert(
      fc.property(fc.array(fc.tuple(letter, fc.boolean(), noise), { minLength: 8, maxLength: 8 }), (typed) => {
        const text = typed.map(([each, small, after]) => (small ? each.toLowerCase() : each) + after).join('');
        const plain = typed.map(([each]) => each).join('');
        expect(readUserCode(text)).toBe(`${plain.slice(0, 4)}-${plain.slice(4)}`);
      }),
    );
  });

  it.each(['', 'WDJB-MJH', 'WDJB-MJHTX', 'WDJB-MJHA', 'WDJB-MJH1', 'WDJB_MJHT', 'ẂDJB-MJHT'])('%s is none', (typed) => {
    expect(readUserCode(typed)).toBeNull();
  });

  it('never throws, and gives nothing but codes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (typed) => {
        const read = readUserCode(typed);
        if (read !== null) expect(read).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
      }),
    );
  });
});

describe('judgePoll', () => {
  it.each([
    { name: 'unknown', pairing: null, status: 'expired_token' },
    { name: 'nobody has typed it', pairing: waiting, status: 'authorization_pending' },
    { name: 'too old', pairing: { ...waiting, expiresAt: now }, status: 'expired_token' },
    { name: 'looked at too often', pairing: { ...waiting, looks: MAX_LOOKS }, status: 'expired_token' },
    { name: 'refused', pairing: { ...waiting, state: 'denied' as const }, status: 'access_denied' },
    { name: 'paired', pairing: { ...waiting, state: 'approved' as const, account: 'anna' }, status: 'paired' },
    { name: 'asked a second ago', pairing: { ...waiting, polledAt: later(-1) }, status: 'slow_down' },
    { name: 'asked five seconds ago', pairing: { ...waiting, polledAt: later(-5) }, status: 'authorization_pending' },
  ])('$name: $status', ({ pairing, status }) => {
    expect(judgePoll(pairing, now)).toMatchObject({ status });
  });

  it('adds five seconds each time a machine asks too soon', () => {
    expect(judgePoll({ ...waiting, polledAt: later(-1) }, now)).toEqual({ status: 'slow_down', intervalSeconds: 10 });
    const slowed = { ...waiting, polledAt: later(-6), intervalSeconds: 10 };
    expect(judgePoll(slowed, now)).toEqual({ status: 'slow_down', intervalSeconds: 15 });
  });
});

describe('isOpen', () => {
  it('ends with the time, with a decision, and with too many looks', () => {
    expect(isOpen(waiting, later(899.999))).toBe(true);
    expect(isOpen(waiting, later(900))).toBe(false);
    expect(isOpen({ ...waiting, state: 'denied' }, now)).toBe(false);
    expect(isOpen({ ...waiting, looks: MAX_LOOKS }, now)).toBe(false);
  });
});

describe('verificationUris', () => {
  it.each([
    {
      base: 'https://broker.example:42007',
      plain: 'https://broker.example:42007/pair',
      complete: 'HTTPS://BROKER.EXAMPLE:42007/PAIR/WDJB-MJHT',
    },
    {
      base: 'https://example.org/cpushare',
      plain: 'https://example.org/cpushare/pair',
      complete: 'https://example.org/cpushare/pair?code=WDJB-MJHT',
    },
  ])('$base', ({ base, plain, complete }) => {
    expect(verificationUris(base, 'WDJB-MJHT')).toEqual({ plain, complete });
  });
});
