import { describe, expect, it } from 'vitest';
import type { PairingAnswer, PairingStatus } from '../../protocol/pairing-messages.ts';
import { createSessionKey } from '../agent/session-key.ts';
import type { AgentEvent, PairingState } from '../agent/state.ts';
import { BrokerAnswerError } from '../broker/broker-answers.ts';
import { ASK_AGAIN_MS, type Claimant, DENIED_MS, pairForever } from './pair-loop.ts';

const code = (userCode: string): PairingAnswer => ({
  status: 'waiting',
  deviceCode: 'ab'.repeat(32),
  userCode,
  verificationUri: 'https://broker.example/pair',
  verificationUriComplete: `HTTPS://BROKER.EXAMPLE/PAIR/${userCode}`,
  expiresInSeconds: 900,
  intervalSeconds: 5,
});
const paired = { status: 'paired', account: 'anna', lasting: true } as const;
const refused = (status: number) => new BrokerAnswerError('BROKER_REFUSED', 'no', { status });
const unreachable = () => new Error('no answer');

/** Runs against answers in order, on a clock that only waiting moves; ends when the answers are used up. */
async function run(answers: readonly (PairingAnswer | PairingStatus | Error)[]) {
  const ending = new AbortController();
  const left = [...answers];
  const asked: string[] = [];
  const states: PairingState[] = [];
  const waits: number[] = [];
  let nowMs = 0;
  const answer = async (what: string) => {
    const next = left.shift();
    if (next === undefined) {
      ending.abort();
      throw new Error('the end of the test');
    }
    asked.push(what);
    if (next instanceof Error) throw next;
    return next as never;
  };
  const claimant: Claimant = {
    broker: { requestPairing: () => answer('code'), pairingStatus: () => answer('poll') },
    brokerId: '00'.repeat(32),
    key: createSessionKey(),
    facts: { cpuModel: '', memoryBytes: 0, bootMode: 'uefi', clientVersion: '' },
    enrols: true,
  };
  await pairForever(claimant, {
    dispatch: (event: AgentEvent) => {
      if (event.type === 'pairing') states.push(event.pairing);
    },
    nowMs: () => nowMs,
    random: () => 1,
    networkUp: async () => undefined,
    machineId: async () => 'cd'.repeat(32),
    pause: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
    signal: ending.signal,
  });
  return { asked, waits, states, kinds: states.map(({ kind }) => kind) };
}

describe('pairForever', () => {
  it('shows no code to a machine that has an owner, and asks again after minutes', async () => {
    const { asked, kinds, waits } = await run([paired, paired]);
    expect(asked).toEqual(['code', 'code']);
    expect(kinds).toEqual(['paired', 'paired']);
    expect(waits).toEqual([ASK_AGAIN_MS, ASK_AGAIN_MS]);
  });

  it('polls at the interval, and slower when told', async () => {
    const pending = { status: 'authorization_pending' } as const;
    const slow = { status: 'slow_down' } as const;
    const { kinds, waits } = await run([code('WDJB-MJHT'), pending, slow, pending, slow, paired]);
    expect(waits).toEqual([5000, 5000, 10_000, 10_000, 15_000, ASK_AGAIN_MS]);
    expect(kinds).toEqual(['waiting', 'paired']);
  });

  it('shows a new code when one has expired, by its own clock or by the word of the broker', async () => {
    const pending = Array.from({ length: 180 }, () => ({ status: 'authorization_pending' }) as const);
    const byClock = await run([code('BBBB-BBBB'), ...pending, code('CCCC-CCCC')]);
    expect(byClock.kinds).toEqual(['waiting', 'waiting']);
    expect(byClock.states[1]).toMatchObject({ userCode: 'CCCC-CCCC', expiresAtMs: 1_800_000 });
    const byWord = await run([code('BBBB-BBBB'), { status: 'expired_token' }, code('CCCC-CCCC')]);
    expect(byWord.states.map((state) => 'userCode' in state && state.userCode)).toEqual(['BBBB-BBBB', 'CCCC-CCCC']);
  });

  it('waits a minute with a new code after somebody said no', async () => {
    const { states, waits } = await run([code('BBBB-BBBB'), { status: 'access_denied' }, code('CCCC-CCCC')]);
    expect(states[1]).toEqual({ kind: 'denied', nextAtMs: 5000 + DENIED_MS });
    expect(waits[1]).toBe(DENIED_MS);
    expect(states[2]).toMatchObject({ kind: 'waiting', userCode: 'CCCC-CCCC' });
  });

  it('keeps the code on the screen while the broker cannot be reached, asking ever more seldom', async () => {
    const { kinds, waits } = await run([code('BBBB-BBBB'), unreachable(), unreachable(), refused(429), paired]);
    expect(kinds).toEqual(['waiting', 'paired']);
    expect(waits.slice(0, 4)).toEqual([5000, 6000, 7000, 9000]);
  });

  it('takes a code off the screen that the broker will not answer for', async () => {
    const { kinds } = await run([code('BBBB-BBBB'), refused(403), paired]);
    expect(kinds).toEqual(['waiting', 'unknown', 'paired']);
  });

  it('keeps the owner on the screen while the broker is away, backing off', async () => {
    const { kinds, waits } = await run([paired, unreachable(), unreachable(), paired]);
    expect(kinds).toEqual(['paired', 'paired']);
    expect(waits).toEqual([ASK_AGAIN_MS, 1000, 2000, ASK_AGAIN_MS]);
  });
});
