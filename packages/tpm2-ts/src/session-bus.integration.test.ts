/** Sessions on a real swtpm: what crosses the bus in the clear, and what comes of altering it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activateCredential, withKeys } from './attester.ts';
import type { Tpm } from './command.ts';
import { flushContext } from './commands-context.ts';
import { activateCredential as activateCommand, create, load, unseal } from './commands-keys.ts';
import { getRandom } from './commands-state.ts';
import { CC } from './constants.ts';
import { nodeCrypto } from './crypto-node.ts';
import { makeCredential } from './make-credential-node.ts';
import { withAuthSession } from './session.ts';
import { EK_TEMPLATES } from './templates.ts';
import { flippingResponse, listening, overheard } from './testing/bus.ts';
import { EMPTY, PASSWORD, SECRET, type SessionBench, startSessionBench, use } from './testing/session-bench.ts';
import { SWTPM_EK_KINDS } from './testing/swtpm.ts';
import { toHex } from './testing/vectors.ts';

let bench: SessionBench;
let tpm: Tpm;
beforeAll(async () => {
  bench = await startSessionBench();
  tpm = bench.tpm;
});
afterAll(() => bench?.stop());

describe('who listens on the bus', () => {
  it.each([
    { name: 'AES-128, SHA-256', change: {} },
    { name: 'AES-256, SHA-384', change: { cipherBits: 256, hash: 'sha384' } },
    { name: 'AES-128, SHA-1', change: { hash: 'sha1' } },
  ] as const)('does not learn random numbers from a salted session with $name', async ({ change }) => {
    const bus = listening(tpm);
    await withAuthSession(bus, nodeCrypto, bench.salted(change), async (session) => {
      for (let round = 0; round < 3; round += 1) {
        const random = await getRandom(bus, 32, { sessions: [use(session, { encrypt: true })] });
        expect(random).toHaveLength(32);
        expect(overheard(bus, random)).toBe(false);
      }
    });
    const open = await getRandom(bus, 32);
    expect(overheard(bus, open)).toBe(true);
  });

  it.each(SWTPM_EK_KINDS)('does not learn an activated secret (EK %s)', async (kind) => {
    const bus = listening(tpm);
    const opened = await withKeys(bus, { ek: kind, ak: 'ecc' }, async ({ ek, ak }) => {
      const credential = makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret: SECRET });
      return activateCredential(bus, { ek, ak, ...credential });
    });
    expect(toHex(opened)).toBe(toHex(SECRET));
    expect(overheard(bus, SECRET)).toBe(false);
    expect(await bench.openSessions()).toEqual([]);
  });

  it('would have learnt it without the session', async () => {
    const bus = listening(tpm);
    await withKeys(bus, { ek: 'eccHigh', ak: 'ecc' }, ({ ek, ak }) =>
      activateCommand(bus, {
        akHandle: ak.handle,
        ekHandle: ek.handle,
        ekAuthorization: { kind: 'password' },
        ...makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret: SECRET }),
      }),
    );
    expect(overheard(bus, SECRET)).toBe(true);
  });

  it('does not learn what is sealed nor its password, in either direction', async () => {
    const bus = listening(tpm);
    await withAuthSession(bus, nodeCrypto, bench.salted(), async (session) => {
      const by = use(session, { decrypt: true });
      await bench.withSealed({ on: bus, password: PASSWORD, by }, async ({ handle, name }) => {
        const authorization = use(session, { authValue: PASSWORD, encrypt: true });
        expect(toHex(await unseal(bus, { handle, name, authorization }))).toBe(toHex(SECRET));
      });
    });
    expect(overheard(bus, SECRET)).toBe(false);
    expect(overheard(bus, PASSWORD)).toBe(false);

    await bench.withSealed({ on: bus, password: PASSWORD }, ({ handle }) =>
      unseal(bus, { handle, authorization: { kind: 'password', password: PASSWORD } }),
    );
    expect(overheard(bus, SECRET)).toBe(true);
    expect(overheard(bus, PASSWORD)).toBe(true);
  });

  it('learns nothing either when one session audits, one encrypts and one authorizes', async () => {
    const bus = listening(tpm);
    await withAuthSession(bus, nodeCrypto, bench.salted(), (first) =>
      withAuthSession(bus, nodeCrypto, bench.salted({ hash: 'sha384' }), async (second) => {
        const sessions = [use(first, { audit: true }), use(second, { encrypt: true })];
        expect(overheard(bus, await getRandom(bus, 16, { sessions }))).toBe(false);

        // The password is in the first session's HMAC, which vouches for the nonces of the other two.
        await withAuthSession(bus, nodeCrypto, bench.salted(), async (third) => {
          const template = EK_TEMPLATES.ecc;
          const made = await create(bus, {
            parent: bench.storage.handle,
            parentName: bench.storage.name,
            template: { ...template, attributes: { ...template.attributes, userWithAuth: true } },
            sensitive: { userAuth: PASSWORD, data: EMPTY },
            authorization: use(first),
            sessions: [use(second, { decrypt: true }), use(third, { encrypt: true })],
          });
          const object = await load(tpm, { parent: bench.storage.handle, ...made });
          await flushContext(tpm, object.handle);
          expect(overheard(bus, made.privateArea)).toBe(false);
        });
      }),
    );
    expect(overheard(bus, PASSWORD)).toBe(false);
  });
});

describe('who changes a byte on the bus', () => {
  /** Each byte of the response in turn, until one is past its end; returns how many there were. */
  async function flipEach(
    code: number,
    attempt: (bus: Tpm) => Promise<unknown>,
    meaningless: readonly number[] = [],
  ): Promise<number> {
    for (let at = 0; ; at += 1) {
      const bus = flippingResponse(tpm, code, at);
      const outcome = await attempt(bus).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (bus.flipped === 0) {
        expect(outcome).toBeUndefined();
        return at;
      }
      if (meaningless.includes(at)) continue;
      // The header is framing: a false refusal or a wrong size. Everything behind it the session vouches for.
      const errors = ['TpmSessionError', 'TpmCodecError', ...(at < 10 ? ['TPM_RC_'] : [])];
      const name = outcome instanceof Error ? outcome.name : 'accepted';
      expect(
        errors.some((each) => name.startsWith(each)),
        `byte ${at}: ${name}`,
      ).toBe(true);
    }
  }

  it('is found out at every byte of random numbers', async () => {
    const length = await flipEach(CC.getRandom, (bus) =>
      withAuthSession(bus, nodeCrypto, bench.salted(), (session) =>
        getRandom(bus, 16, { sessions: [use(session, { encrypt: true })] }),
      ),
    );
    expect(length).toBe(10 + 4 + 18 + 34 + 1 + 34);
    expect(await bench.openSessions()).toEqual([]);
  });

  it.each(['ecc', 'eccHigh'] as const)('is found out at every byte of an activation (EK %s)', async (kind) => {
    await withKeys(tpm, { ek: kind, ak: 'ecc' }, async ({ ek, ak }) => {
      const credential = makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret: SECRET });
      // The attributes that answer the AK's empty password: nothing hangs on them, so nothing protects them.
      const meaningless = [10 + 4 + 34 + 2];
      const attempt = (bus: Tpm) => activateCredential(bus, { ek, ak, ...credential });
      const length = await flipEach(CC.activateCredential, attempt, meaningless);
      expect(length).toBe(10 + 4 + 34 + 5 + 34 + 1 + 34);
    });
    expect(await bench.openSessions()).toEqual([]);
  });

  it('gets a clear refusal', async () => {
    const bus = flippingResponse(tpm, CC.getRandom, 20);
    const random = withAuthSession(bus, nodeCrypto, bench.salted(), (session) =>
      getRandom(bus, 16, { sessions: [use(session, { audit: true })] }),
    );
    await expect(random).rejects.toMatchObject({
      name: 'TpmSessionError',
      code: 'RESPONSE_HMAC_WRONG',
      message: 'TPM2_GetRandom: the HMAC of the response is wrong; it was altered on its way from the TPM',
      nextStep: expect.any(String),
    });
  });

  it('is found out by the TPM when it is the command', async () => {
    const altering: Tpm = {
      ...tpm,
      send: (command) => tpm.send(command.map((byte, i) => (i === command.length - 1 ? byte ^ 1 : byte))),
    };
    await withAuthSession(tpm, nodeCrypto, bench.salted(), async (session) => {
      const random = getRandom(altering, 16, { sessions: [use(session, { audit: true })] });
      await expect(random).rejects.toMatchObject({ name: 'TPM_RC_BAD_AUTH', position: 'session 1' });
      expect(await getRandom(tpm, 16, { sessions: [use(session, { audit: true })] })).toHaveLength(16);
    });
  });
});
