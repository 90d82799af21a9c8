/** The rules of answering buyers, on a clock of the test's own: no TPM, no socket; both stand for what they would say. */
import { randomBytes } from 'node:crypto';
import { TpmTransportError } from 'tpm2-ts/errors';
import { describe, expect, it } from 'vitest';
import type { MachineClaims } from '../../attest/evidence.ts';
import { QUOTED_PCRS } from '../../attest/evidence.ts';
import { activationAnswer, answerableSecret } from '../../attest/quote/activation-answer.ts';
import { encodeClaims } from '../../attest/quote/claims.ts';
import { qualifyingData } from '../../attest/quote/qualifying-data.ts';
import type { PendingVerification, VerificationAnswer } from '../../protocol/relay-messages.ts';
import { fromHex, toBase64, toHex } from '../../shared/bytes.ts';
import { BrokerAnswerError } from '../broker/broker-answers.ts';
import type { BrokerClient } from '../broker/broker-client.ts';
import type { MachineTpm } from '../tpm/machine-tpm.ts';
import { answerChecksForever, CHECKS, type CheckPorts, CREDENTIALS, REFUSED_AFTER_MS, RETURNS } from './check-loop.ts';
import { sha256 } from './evidence.ts';
import type { Session } from './session.ts';
import { createSessionKey } from './session-key.ts';
import type { AgentEvent } from './state.ts';

const machineId = 'ab'.repeat(32);
const brokerId = 'cd'.repeat(32);
const secret = answerableSecret(new Uint8Array(24).fill(3));
const credential = { credentialBlob: 'QUJD', encryptedSecret: 'REVG' };
const check = (change: Partial<PendingVerification> = {}): PendingVerification => ({
  verificationId: randomBytes(16).toString('hex'),
  challenge: randomBytes(32).toString('hex'),
  pcrSelection: { bank: 'sha256', pcrs: [...QUOTED_PCRS] },
  ...change,
});

interface Scene {
  readonly pending: (poll: number) => PendingVerification | undefined | Error;
  readonly tpm?: Partial<MachineTpm>;
  /** How long the TPM takes for whatever it is asked. */
  readonly tpmTookMs?: number;
  /** The program ends then. */
  readonly endMs: number;
}

/** Runs the loop from second 0 to the end of the scene; time passes only where the loop waits. */
async function run(scene: Scene) {
  let nowMs = 0;
  const seen = {
    answers: [] as (VerificationAnswer & { readonly atMs: number; readonly id: string })[],
    polls: [] as number[],
    quoted: [] as Uint8Array[],
    pauses: [] as number[],
    events: [] as AgentEvent[],
    attestNow: 0,
    discards: 0,
    activations: 0,
  };
  const ending = new AbortController();
  const pass = (ms: number) => {
    nowMs += ms;
    if (nowMs >= scene.endMs) ending.abort();
  };
  const broker: Pick<BrokerClient, 'pending' | 'answerVerification'> = {
    pending: async (id, body) => {
      expect([id, body.waitMs]).toEqual([machineId, 25_000]);
      seen.polls.push(nowMs);
      const given = scene.pending(seen.polls.length - 1);
      if (given instanceof Error) throw given;
      pass(given === undefined ? 25_000 : 100);
      return { ...(given === undefined ? {} : { verification: given }), nextPollMs: 0 };
    },
    answerVerification: async (_id, id, body) => {
      seen.answers.push({ ...body, id, atMs: nowMs });
    },
  };
  const session: Session = {
    broker: broker as BrokerClient,
    brokerId,
    key: createSessionKey(),
    configuration: new Uint8Array(),
    readLogs: async () => ({ eventLog: new Uint8Array(), imaLog: new Uint8Array() }),
    readClaims: async (challenge): Promise<MachineClaims> => ({
      clientVersion: '1',
      challenge,
      accelerator: { name: 'tcg', reason: '' },
      cpuModel: '',
      memoryBytes: 0,
      secureBoot: true,
      bootMode: 'uefi',
      uptimeMs: 0,
    }),
  };
  const tpm = {
    akPublic: new Uint8Array([1]),
    ekPublic: new Uint8Array([2]),
    ekCertificates: [],
    activate: async () => {
      seen.activations += 1;
      return secret;
    },
    quote: async (_pcrs: readonly number[], extraData: Uint8Array) => {
      seen.quoted.push(extraData);
      return { quote: new Uint8Array([3]), signature: new Uint8Array([4]), values: {} };
    },
    ...scene.tpm,
  } as MachineTpm;
  const ports: CheckPorts = {
    dispatch: (event) => seen.events.push(event),
    nowMs: () => nowMs,
    random: () => 0.5,
    networkUp: async () => undefined,
    tpm: {
      get: async () => {
        pass(scene.tpmTookMs ?? 0);
        return tpm;
      },
      discard: async () => {
        seen.discards += 1;
      },
    },
    signal: ending.signal,
    machineId: async () => machineId,
    attestNow: () => {
      seen.attestNow += 1;
    },
    pause: async (ms) => {
      seen.pauses.push(ms);
      pass(ms);
    },
  };
  await answerChecksForever(session, ports);
  return { ...seen, session };
}

describe('answering buyers', () => {
  it('quotes in the role that is kept for buyers, and answers the credential without showing the secret', async () => {
    const asked = check({ credential });
    const { answers, quoted, events, session } = await run({
      pending: (poll) => (poll === 0 ? asked : undefined),
      endMs: 30_000,
    });
    const sessionPublicKey = session.key.publicKey;
    const claims = encodeClaims(await session.readClaims(asked.challenge));
    const binding = { challenge: fromHex(asked.challenge), brokerId: fromHex(brokerId), sessionPublicKey, claims };
    expect(quoted).toEqual([qualifyingData({ ...binding, role: 'seller-to-buyer' }, sha256)]);
    const [quote, signature] = [new Uint8Array([3]), new Uint8Array([4])];
    const answered = activationAnswer(secret, { challenge: fromHex(asked.challenge), quote, signature }, sha256);
    expect(answers).toMatchObject([{ id: asked.verificationId, answer: toHex(answered) }]);
    expect(JSON.stringify(answers)).not.toContain(toHex(secret));
    expect(JSON.stringify(answers)).not.toContain(toBase64(secret));
    expect(events).toEqual([{ type: 'check-begun' }, { type: 'check-ended', answered: true }]);
  });

  it('under a flood answers no more than its allowance, and opens fewer credentials still', async () => {
    const endMs = 3_600_000;
    const { answers, activations } = await run({ pending: () => check({ credential }), endMs });
    expect(answers.length).toBeGreaterThan(CHECKS.burst);
    expect(answers.length).toBeLessThanOrEqual(CHECKS.burst + endMs / CHECKS.everyMs);
    expect(activations).toBeGreaterThan(CREDENTIALS.burst);
    expect(activations).toBeLessThanOrEqual(CREDENTIALS.burst + endMs / CREDENTIALS.everyMs);
    const busy = answers.filter(({ failure }) => failure === 'BUSY');
    expect(busy).toHaveLength(answers.length - activations);
    // While it must not answer it does not even ask.
    for (const [index, { atMs }] of answers.entries()) {
      const earlier = answers[index - CHECKS.burst];
      if (earlier !== undefined) expect(atMs - earlier.atMs).toBeGreaterThanOrEqual(CHECKS.everyMs);
    }
  });

  it.each([
    {
      name: 'a credential that the TPM refuses',
      tookMs: 40,
      activate: () => Promise.reject(Object.assign(new Error('integrity'), { name: 'TPM_RC_INTEGRITY' })),
    },
    {
      name: "a credential with the broker's own secret",
      tookMs: 900,
      activate: async () => new Uint8Array(32).fill(1),
    },
    { name: 'a credential with a shorter secret', tookMs: 0, activate: async () => secret.subarray(0, 20) },
  ])(
    'says one and the same of $name, after one and the same time, and goes on with its TPM',
    async ({ activate, tookMs }) => {
      const { answers, discards, quoted, events } = await run({
        pending: (poll) => (poll === 0 ? check({ credential }) : undefined),
        tpm: { activate },
        tpmTookMs: tookMs,
        endMs: 30_000,
      });
      expect(answers).toEqual([
        {
          id: expect.any(String),
          atMs: 100 + REFUSED_AFTER_MS,
          failure: 'CREDENTIAL_REFUSED',
          signature: expect.any(String),
        },
      ]);
      expect([discards, quoted]).toEqual([0, []]);
      expect(events.at(-1)).toEqual({ type: 'check-ended', answered: false });
    },
  );

  it('tells the buyer at once when its TPM is broken, and opens it anew', async () => {
    const gone = new TpmTransportError('IO_FAILED', 'gone');
    for (const broken of [{ activate: () => Promise.reject(gone) }, { quote: () => Promise.reject(gone) }]) {
      const { answers, discards } = await run({
        pending: (poll) => (poll === 0 ? check({ credential }) : undefined),
        tpm: broken,
        endMs: 30_000,
      });
      expect([answers[0]?.failure, discards]).toEqual(['TPM_FAILED', 1]);
    }
  });

  it('backs off from a broker that fails, up to a minute, and begins anew after a success', async () => {
    const failure = new BrokerAnswerError('BROKER_ANSWER_INVALID', 'nonsense');
    const { pauses, polls, attestNow } = await run({ pending: () => failure, endMs: 400_000 });
    expect(pauses.slice(0, 8)).toEqual([750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000]);
    expect([polls.length < 16, attestNow]).toEqual([true, 0]);
    const again = await run({ pending: (poll) => (poll % 2 === 0 ? failure : undefined), endMs: 200_000 });
    expect(new Set(again.pauses.filter((ms) => ms > 0))).toEqual(new Set([750]));
  });

  it.each(['MACHINE_UNKNOWN', 'SESSION_NOT_OF_MACHINE'])('attests anew when the broker says %s', async (brokerCode) => {
    const forgotten = new BrokerAnswerError('BROKER_REFUSED', 'who?', { status: 403, brokerCode });
    const { attestNow } = await run({ pending: (poll) => (poll === 0 ? forgotten : undefined), endMs: 30_000 });
    expect(attestNow).toBe(1);
    const endMs = 3_600_000;
    const always = await run({ pending: () => forgotten, endMs });
    expect(always.attestNow).toBeGreaterThan(RETURNS.burst);
    expect(always.attestNow).toBeLessThanOrEqual(RETURNS.burst + endMs / RETURNS.everyMs);
  });
});
