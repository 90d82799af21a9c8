/** Sessions on a real swtpm: salting, binding, passwords and policies. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from './codec.ts';
import type { Tpm } from './command.ts';
import { flushContext } from './commands-context.ts';
import { createPrimary, unseal } from './commands-keys.ts';
import {
  policyAuthValue,
  policyCommandCode,
  policyGetDigest,
  policyOr,
  policyPcr,
  policyRestart,
  policySecret,
} from './commands-policy.ts';
import { getRandom, pcrExtend } from './commands-state.ts';
import { CC, RH } from './constants.ts';
import { nodeCrypto } from './crypto-node.ts';
import { nodeDigest } from './digest-node.ts';
import { readPcrs } from './facts.ts';
import { handleName } from './name.ts';
import { type PolicyStep, policyDigest } from './policy-digest.ts';
import { tpmtPublic } from './public-area.ts';
import { withAuthSession } from './session.ts';
import { EK_TEMPLATES } from './templates.ts';
import { listening, overheard } from './testing/bus.ts';
import { EMPTY, PASSWORD, SECRET, type SessionBench, startSessionBench, use } from './testing/session-bench.ts';
import { SWTPM_EK_KINDS } from './testing/swtpm.ts';
import { hex, toHex } from './testing/vectors.ts';

let bench: SessionBench;
let tpm: Tpm;
beforeAll(async () => {
  bench = await startSessionBench();
  tpm = bench.tpm;
});
afterAll(() => bench?.stop());

describe('sessions', () => {
  it.each([
    { name: 'neither salted nor bound', request: () => ({ kind: 'hmac' }) as const },
    { name: 'salted', request: () => bench.salted() },
    { name: 'bound to a hierarchy', request: () => bench.salted({ bindTo: owner() }) },
    { name: 'only bound', request: () => ({ kind: 'hmac', bindTo: owner() }) as const },
  ])('$name: many commands in one', async ({ request }) => {
    await withAuthSession(tpm, nodeCrypto, request(), async (session) => {
      const sizes = [1, 16, 33, 64];
      for (const size of sizes) {
        const sessions = [use(session, { encrypt: true })];
        const random = await getRandom(tpm, size, { sessions });
        expect(random.length).toBeLessThanOrEqual(size);
        expect(random.length).toBeGreaterThan(0);
      }
    });
    expect(await bench.openSessions()).toEqual([]);
  });

  it('stay in step when the TPM is busy and the command is sent again', async () => {
    let busy = 2;
    const sent: string[] = [];
    const bus: Tpm = {
      ...tpm,
      send: async (command) => {
        sent.push(toHex(command));
        if (busy > 0) {
          busy -= 1;
          return hex('80010000000a00000922'); // TPM_RC_RETRY
        }
        return tpm.send(command);
      },
    };
    await withAuthSession(tpm, nodeCrypto, bench.salted(), async (session) => {
      const sessions = [use(session, { encrypt: true })];
      expect(await getRandom(bus, 8, { sessions })).toHaveLength(8);
      expect(new Set(sent).size).toBe(1);
      expect(await getRandom(bus, 8, { sessions })).toHaveLength(8);
      expect(new Set(sent).size).toBe(2);
    });
  });

  it('end with the command that says so', async () => {
    const session = await withAuthSession(tpm, nodeCrypto, bench.salted(), async (opened) => {
      await getRandom(tpm, 8, { sessions: [use(opened, { continueSession: false })] });
      return opened;
    }).catch((error: unknown) => error);
    expect(session).toMatchObject({ name: expect.stringMatching(/^TPM_RC_/) }); // there is nothing left to flush
    expect(await bench.openSessions()).toEqual([]);
  });

  it('bound to an object: its password counts for it and not for another', async () => {
    await bench.withSealed({ password: PASSWORD }, (one) =>
      bench.withSealed({ password: PASSWORD }, async (other) => {
        const bindTo = { ...one, authValue: PASSWORD };
        await withAuthSession(tpm, nodeCrypto, bench.salted({ bindTo }), async (session) => {
          const authorization = use(session, { authValue: PASSWORD, encrypt: true });
          for (const object of [one, other, one]) {
            expect(toHex(await unseal(tpm, { ...object, authorization }))).toBe(toHex(SECRET));
          }
        });
      }),
    );
  });

  it('refuse a wrong password, and say where', async () => {
    await bench.withSealed({ password: PASSWORD }, ({ handle, name }) =>
      withAuthSession(tpm, nodeCrypto, bench.salted(), async (session) => {
        const authorization = use(session, { authValue: hex('00ff') });
        await expect(unseal(tpm, { handle, name, authorization })).rejects.toMatchObject({
          name: 'TPM_RC_BAD_AUTH',
          position: 'session 1',
        });
      }),
    );
  });

  it.each([
    { name: 'without the Name of its object', change: {}, text: 'an HMAC needs the Name of handle 0x80' },
    {
      name: 'encrypting twice',
      change: { encrypt: true },
      twice: true,
      text: 'only one session may encrypt',
    },
  ])('cannot be used $name', async ({ change, twice, text }) => {
    await withAuthSession(tpm, nodeCrypto, bench.salted(), async (session) => {
      const sessions = [use(session, change)];
      const attempt = twice
        ? getRandom(tpm, 8, { sessions: [...sessions, ...sessions] })
        : unseal(tpm, { handle: bench.storage.handle, authorization: use(session) });
      await expect(attempt).rejects.toMatchObject({
        name: 'TpmSessionError',
        code: 'SESSION_MISUSED',
        message: expect.stringContaining(text),
      });
    });
  });
});

function owner() {
  return { handle: RH.owner, name: handleName(RH.owner), authValue: EMPTY };
}

describe('policies', () => {
  const secretStep: PolicyStep = { kind: 'secret', name: handleName(RH.endorsement) };
  const commandStep: PolicyStep = { kind: 'commandCode', code: CC.unseal };
  const digestOf = (...steps: readonly PolicyStep[]) => policyDigest('sha256', steps, nodeDigest);

  it('compute to what the TPM comes to, step by step', async () => {
    const values = await readPcrs(tpm, 'sha256', [0, 16]);
    const pcrDigest = nodeDigest('sha256', Uint8Array.from([...values.values()].flatMap((value) => [...value])));
    const selection = [{ hash: 'sha256', pcrs: [0, 16] }] as const;
    const pcrStep: PolicyStep = { kind: 'pcr', selection, pcrDigest };
    await withAuthSession(tpm, nodeCrypto, { kind: 'trial' }, async (session) => {
      const at = session.handle;
      const come = async () => toHex(await policyGetDigest(tpm, at));
      expect(await come()).toBe(toHex(digestOf()));
      await policySecret(tpm, { session: at, authHandle: RH.endorsement });
      expect(await come()).toBe(toHex(digestOf(secretStep)));
      await policyPcr(tpm, { session: at, selection });
      expect(await come()).toBe(toHex(digestOf(secretStep, pcrStep)));
      await policyCommandCode(tpm, { session: at, code: CC.unseal });
      expect(await come()).toBe(toHex(digestOf(secretStep, pcrStep, commandStep)));
      const branches = [digestOf(secretStep, pcrStep, commandStep), digestOf(commandStep)];
      await policyOr(tpm, { session: at, branches });
      expect(await come()).toBe(toHex(digestOf({ kind: 'or', branches })));
      await policyAuthValue(tpm, session);
      expect(await come()).toBe(toHex(digestOf({ kind: 'or', branches }, { kind: 'authValue' })));
      await policyRestart(tpm, session);
      expect(await come()).toBe(toHex(digestOf()));
    });
  });

  it('open what they guard, over an encrypted bus', async () => {
    const branches = [digestOf(secretStep, commandStep), digestOf({ kind: 'authValue' })];
    const policy = digestOf({ kind: 'or', branches });
    const bus = listening(tpm);
    await bench.withSealed({ policy, password: PASSWORD }, async ({ handle, name }) => {
      await withAuthSession(bus, nodeCrypto, bench.salted({ kind: 'policy' }), async (session) => {
        const authorization = use(session, { encrypt: true, authValue: PASSWORD });
        await policySecret(bus, { session: session.handle, authHandle: RH.endorsement });
        await policyCommandCode(bus, { session: session.handle, code: CC.unseal });
        await policyOr(bus, { session: session.handle, branches });
        expect(toHex(await unseal(bus, { handle, name, authorization }))).toBe(toHex(SECRET));

        await policyAuthValue(bus, session);
        await policyOr(bus, { session: session.handle, branches });
        expect(toHex(await unseal(bus, { handle, name, authorization }))).toBe(toHex(SECRET));

        await policyAuthValue(bus, session);
        await policyOr(bus, { session: session.handle, branches });
        const wrong = use(session, { encrypt: true, authValue: EMPTY });
        await expect(unseal(bus, { handle, name, authorization: wrong })).rejects.toThrow('TPM_RC_BAD_AUTH');
      });
    });
    expect(overheard(bus, SECRET)).toBe(false);
    expect(overheard(bus, PASSWORD)).toBe(false);
  });

  it('no longer open once a register has changed', async () => {
    const selection = [{ hash: 'sha256', pcrs: [16] }] as const;
    const value = (await readPcrs(tpm, 'sha256', [16])).get(16) ?? EMPTY;
    const policy = digestOf({ kind: 'pcr', selection, pcrDigest: nodeDigest('sha256', value) });
    await bench.withSealed({ policy }, async ({ handle, name }) => {
      const open = () =>
        withAuthSession(tpm, nodeCrypto, bench.salted({ kind: 'policy' }), async (session) => {
          await policyPcr(tpm, { session: session.handle, selection });
          return unseal(tpm, { handle, name, authorization: use(session, { encrypt: true }) });
        });
      expect(toHex(await open())).toBe(toHex(SECRET));
      await pcrExtend(tpm, { pcr: 16, digests: [{ hash: 'sha256', digest: new Uint8Array(32) }] });
      await expect(open()).rejects.toMatchObject({ name: 'TPM_RC_POLICY_FAIL' });
    });
  });
});

it('salts to every kind of EK', async () => {
  for (const kind of SWTPM_EK_KINDS) {
    const template = EK_TEMPLATES[kind];
    const { handle, publicArea } = await createPrimary(tpm, { hierarchy: RH.endorsement, template });
    const { type } = decode(tpmtPublic, publicArea);
    await withAuthSession(tpm, nodeCrypto, { kind: 'hmac', saltTo: { handle, publicArea } }, async (session) => {
      const random = await getRandom(tpm, 16, { sessions: [use(session, { encrypt: true, decrypt: false })] });
      expect(random, type).toHaveLength(16);
    });
    await flushContext(tpm, handle);
  }
});
