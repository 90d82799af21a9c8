import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentEvent, initialState, isAttested, next } from './state.ts';

const machineId = 'ab'.repeat(32);
const problem = { code: 'INITRD_DIFFERS', message: 'the initrd differs', nextStep: 'write the medium again' };

const anyEvent: fc.Arbitrary<AgentEvent> = fc.oneof(
  fc.constant<AgentEvent>({ type: 'enrolling' }),
  fc.constant<AgentEvent>({ type: 'enrolled', machineId }),
  fc.constant<AgentEvent>({ type: 'machine-unknown' }),
  fc.constant<AgentEvent>({ type: 'check-begun' }),
  fc.boolean().map((answered): AgentEvent => ({ type: 'check-ended', answered })),
  fc.constant<AgentEvent>({ type: 'unattested', problem }),
  fc.constant<AgentEvent>({ type: 'platform', bootMode: 'uefi', secureBoot: true }),
  fc.constant<AgentEvent>({ type: 'tpm', tpm: { kind: 'absent' } }),
  fc.constant<AgentEvent>({ type: 'network', network: { kind: 'no-link', cards: ['eth0'] } }),
  fc.record({ type: fc.constant('failed' as const), problem: fc.constant(problem), retryAtMs: fc.nat() }),
  fc.record({
    type: fc.constant('accepted' as const),
    machineId: fc.constant(machineId),
    atMs: fc.nat(100_000),
    nextAttestationMs: fc.integer({ min: 1000, max: 50_000 }),
  }),
  fc.record({
    type: fc.constant('refused' as const),
    machineId: fc.constant(machineId),
    atMs: fc.nat(100_000),
    problem: fc.constant(problem),
  }),
);

describe('next', () => {
  it('is attested only while the last word of the broker is an accepted answer that is still fresh', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), fc.nat(300_000), (events, nowMs) => {
        const end = events.reduce(next, initialState);
        const lastWord = events.findLast((event) =>
          ['accepted', 'refused', 'unattested', 'machine-unknown', 'enrolling', 'enrolled'].includes(event.type),
        );
        const expected = lastWord?.type === 'accepted' && nowMs <= lastWord.atMs + 2 * lastWord.nextAttestationMs;
        expect(isAttested(end, nowMs)).toBe(expected);
      }),
    );
  });

  it('keeps the first time of an unbroken row of accepted answers, and starts anew after a gap', () => {
    const answer = (atMs: number): AgentEvent => ({ type: 'accepted', machineId, atMs, nextAttestationMs: 1000 });
    const row = [answer(10_000), answer(11_000), answer(13_000)].reduce(next, initialState);
    expect(row.attestation).toMatchObject({ sinceMs: 10_000, lastMs: 13_000 });
    expect(next(row, answer(15_001)).attestation).toMatchObject({ sinceMs: 15_001 });
  });

  it('keeps the verdict in sight when the broker cannot be reached, and lets it go stale', () => {
    const accepted = next(initialState, { type: 'accepted', machineId, atMs: 0, nextAttestationMs: 1000 });
    const failing = next(accepted, { type: 'failed', problem, retryAtMs: 5000 });
    expect(isAttested(failing, 2000)).toBe(true);
    expect(isAttested(failing, 2001)).toBe(false);
    expect(failing.problem?.problem).toEqual(problem);
  });

  it('forgets a problem as soon as the broker answers', () => {
    const failing = next(initialState, { type: 'failed', problem, retryAtMs: 5000 });
    expect(next(failing, { type: 'enrolled', machineId }).problem).toBeNull();
  });
});
