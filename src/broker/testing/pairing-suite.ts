/** What the rows of pairing promise, on every database: one live code a machine, decided once, bounded, forgotten in time. */
import { beforeEach, expect, it } from 'vitest';
import type { Database } from '../db/database.ts';
import {
  addPairing,
  decidePairing,
  lookAtPairing,
  machinesOf,
  type NewPairing,
  pollPairing,
  removeMachine,
  seeAccountOf,
} from '../db/pairings.ts';
import { UNSEEN_MS } from '../pairing.ts';

const start = new Date('2026-05-01T00:00:00.123Z');
const later = (ms: number) => new Date(start.getTime() + ms);
const limits = { total: 5, perRequester: 3 };
const facts = {
  cpuModel: `a "processor" é $1`,
  memoryBytes: 2 ** 33,
  bootMode: 'uefi',
  clientVersion: '0.1.0',
} as const;
let serial = 0;
const fresh = () => (++serial).toString(16).padStart(64, 'a');

export function describePairings(database: () => Database): void {
  let db: Database;
  beforeEach(async () => {
    db = database();
    await db.query('DELETE FROM pairings');
    await db.query('DELETE FROM machine_accounts');
  });
  const add = async (change: Partial<NewPairing> = {}, now = start): Promise<NewPairing> => {
    const pairing: NewPairing = {
      deviceCodeSha256: fresh(),
      userCodeSha256: fresh(),
      machineId: fresh(),
      lasting: true,
      facts,
      address: '192.0.2.7',
      requester: fresh(),
      intervalSeconds: 5,
      expiresAt: new Date(now.getTime() + 900_000),
      ...change,
    };
    await addPairing(db, pairing, now, limits);
    return pairing;
  };
  const approve = ({ userCodeSha256 }: NewPairing, account = 'anna', now = later(1)) =>
    decidePairing(db, { userCodeSha256, account, approved: true }, now);

  it('keeps a code as it was given, shows it by its hash, and counts the looks', async () => {
    const { deviceCodeSha256, userCodeSha256, requester, ...given } = await add();
    expect(await lookAtPairing(db, userCodeSha256, later(1))).toEqual({
      ...given,
      state: 'waiting',
      account: null,
      looks: 1,
      polledAt: null,
    });
    expect(await lookAtPairing(db, userCodeSha256, later(2))).toMatchObject({ looks: 2 });
    expect(await lookAtPairing(db, deviceCodeSha256, later(2))).toBeNull();
    expect(await lookAtPairing(db, userCodeSha256, later(900_000))).toBeNull();
    expect(requester).not.toBe('');
  });

  it('gives a machine one code: the newest, also when it asks twice at once', async () => {
    const first = await add();
    const second = await add({ machineId: first.machineId });
    expect(await pollPairing(db, first, later(1))).toEqual({ status: 'expired_token' });
    expect(await pollPairing(db, second, later(1))).toEqual({ status: 'authorization_pending' });
    await Promise.allSettled([1, 2, 3].map(() => add({ machineId: first.machineId })));
    expect(await db.query('SELECT 1 FROM pairings WHERE machine_id = $1', [first.machineId])).toHaveLength(1);
  });

  it('is decided once, also by two at once, and the machine has its account with the same stroke', async () => {
    const pairing = await add();
    const decided = await Promise.all([approve(pairing, 'anna'), approve(pairing, 'ben'), approve(pairing, 'carla')]);
    expect(decided.filter((one) => one !== null)).toHaveLength(1);
    const judged = await pollPairing(db, pairing, later(2));
    const owner = await seeAccountOf(db, pairing.machineId, later(2));
    expect(judged).toEqual({ status: 'paired', account: owner?.account });
    expect(await lookAtPairing(db, pairing.userCodeSha256, later(3))).toBeNull();
  });

  it('leaves a refused machine without an account', async () => {
    const pairing = await add();
    await decidePairing(db, { userCodeSha256: pairing.userCodeSha256, account: 'anna', approved: false }, later(1));
    expect(await pollPairing(db, pairing, later(2))).toEqual({ status: 'access_denied' });
    expect(await seeAccountOf(db, pairing.machineId, later(2))).toBeNull();
    expect(await approve(pairing)).toBeNull();
  });

  it('answers only the machine that the device code was made for', async () => {
    const [mine, other] = [await add(), await add()];
    await approve(mine);
    const crossed = { deviceCodeSha256: mine.deviceCodeSha256, machineId: other.machineId };
    expect(await pollPairing(db, crossed, later(2))).toEqual({ status: 'expired_token' });
  });

  it('bounds what is outstanding, of one address and of all, and forgets what has expired', async () => {
    for (let i = 0; i < 3; i += 1) await add({ requester: 'one' });
    await expect(add({ requester: 'one' })).rejects.toMatchObject({ code: 'PAIRINGS_BUSY' });
    await add();
    await add();
    await expect(add()).rejects.toMatchObject({ code: 'PAIRINGS_FULL' });
    await add({ requester: 'one' }, later(900_000));
    expect(await db.query('SELECT 1 FROM pairings')).toHaveLength(1);
  });

  it('forgets a machine without a TPM when it was not seen for a day, and no other', async () => {
    const [lasting, passing] = [await add(), await add({ lasting: false })];
    await approve(lasting);
    await approve(passing);
    expect(await seeAccountOf(db, passing.machineId, later(UNSEEN_MS))).toMatchObject({ lasting: false });
    expect(await seeAccountOf(db, lasting.machineId, later(2 * UNSEEN_MS + 1000))).toMatchObject({ account: 'anna' });
    expect(await seeAccountOf(db, passing.machineId, later(2 * UNSEEN_MS + 1000))).toBeNull();
  });

  it("lists an account's machines, the newest first, and removes none of another's", async () => {
    const [first, second] = [await add(), await add()];
    await approve(first, 'anna', later(1));
    await approve(second, 'anna', later(2));
    const listed = await machinesOf(db, 'anna', 10);
    expect(listed.map(({ machineId }) => machineId)).toEqual([second.machineId, first.machineId]);
    expect(listed[0]).toEqual({
      machineId: second.machineId,
      cpuModel: facts.cpuModel,
      lasting: true,
      pairedAt: later(2),
      attestation: null,
    });
    expect(await removeMachine(db, 'ben', first.machineId)).toBe(false);
    expect(await removeMachine(db, 'anna', first.machineId)).toBe(true);
    expect(await seeAccountOf(db, first.machineId, later(3))).toBeNull();
  });
}
