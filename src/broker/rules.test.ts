import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHALLENGE_LIFETIME_MS, type IssuedChallenge, refusalOf } from './challenge.ts';
import { ENROLMENT_LIFETIME_MS, type Enrolment, judgeActivation, machineIdOf, sha256Hex } from './enrolment.ts';
import { createUnattestedList } from './unattested.ts';

const start = new Date('2026-03-01T00:00:00Z');
const plus = (ms: number) => new Date(start.getTime() + ms);

describe('a challenge', () => {
  const open: IssuedChallenge = {
    challengeId: 'aa',
    machineId: 'm1',
    challenge: 'bb',
    state: 'open',
    expiresAt: plus(CHALLENGE_LIFETIME_MS),
  };
  it.each([
    { name: 'open', issued: open, machine: 'm1', ms: CHALLENGE_LIFETIME_MS - 1, code: null },
    { name: 'expired', issued: open, machine: 'm1', ms: CHALLENGE_LIFETIME_MS, code: 'CHALLENGE_EXPIRED' },
    { name: 'used', issued: { ...open, state: 'used' as const }, machine: 'm1', ms: 1, code: 'CHALLENGE_USED' },
    { name: 'voided', issued: { ...open, state: 'voided' as const }, machine: 'm1', ms: 1, code: 'CHALLENGE_VOIDED' },
    { name: 'of another machine', issued: open, machine: 'm2', ms: 1, code: 'CHALLENGE_UNKNOWN' },
    { name: 'never issued', issued: null, machine: 'm1', ms: 1, code: 'CHALLENGE_UNKNOWN' },
  ])('$name → $code', ({ issued, machine, ms, code }) => {
    expect(refusalOf(issued, machine, plus(ms))?.code ?? null).toBe(code);
  });
});

describe('an activation', () => {
  const right = new Uint8Array(32).fill(7);
  const enrolment: Enrolment = {
    enrolmentId: 'aa',
    state: 'open',
    secretSha256: sha256Hex(right),
    ekName: '000b01',
    ekPublic: '',
    ekCertificates: [],
    akName: '000b02',
    akPublic: '',
    expiresAt: plus(ENROLMENT_LIFETIME_MS),
  };
  const guess = fc.oneof(fc.constant(right), fc.uint8Array({ maxLength: 48 }));

  it('under any attempts: one wrong guess ends it, the right secret in time is the only way in, once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(guess, fc.nat(60_000)), { maxLength: 12 }), (attempts) => {
        let held = enrolment;
        let now = start;
        let activations = 0;
        let wrongBefore = false;
        for (const [secret, ms] of attempts) {
          now = new Date(now.getTime() + ms);
          const isRight = sha256Hex(secret) === enrolment.secretSha256;
          const judgement = judgeActivation(held, secret, now);
          if (judgement === 'activate') {
            activations += 1;
            expect(isRight && now < enrolment.expiresAt && !wrongBefore).toBe(true);
            held = { ...held, state: 'activated' };
          }
          if (judgement === 'fail') held = { ...held, state: 'failed' };
          if (judgement === 'repeat') expect(isRight && activations === 1).toBe(true);
          if (!isRight && activations === 0 && now < enrolment.expiresAt) wrongBefore = true;
        }
        expect(activations).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is refused at the very moment of expiry', () => {
    expect(judgeActivation(enrolment, right, plus(ENROLMENT_LIFETIME_MS - 1))).toBe('activate');
    expect(judgeActivation(enrolment, right, plus(ENROLMENT_LIFETIME_MS))).toBe('refuse');
  });

  it('names a machine by the hash of the EK name', () => {
    expect(machineIdOf('000b')).toBe(sha256Hex(Uint8Array.of(0x00, 0x0b)));
  });
});

describe('the list of unattested machines', () => {
  const notice = (key: string) => ({
    sessionPublicKey: btoa(key),
    reason: 'TPM_ABSENT' as const,
    detail: '',
    bootMode: 'bios' as const,
    clientVersion: '1',
  });

  it('is bounded, keeps the first sight of a machine, and names the newest first', () => {
    const list = createUnattestedList(2);
    list.note(notice('a'), start);
    list.note(notice('b'), plus(1));
    list.note(notice('a'), plus(2));
    expect(list.all()[0]).toMatchObject({ firstSeenAt: start, lastSeenAt: plus(2) });
    list.note(notice('c'), plus(3));
    expect(list.all().map((machine) => machine.machineId)).toEqual(
      ['c', 'a'].map((key) => sha256Hex(new TextEncoder().encode(key))),
    );
  });
});
